// SPDX-License-Identifier: Apache-2.0

#include "server/options.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "contract/server_exit_code.h"
#include "contract/version.h"
#include "model/device.h"
#include "system/files.h"

namespace blendwire::server {
namespace {

using contract::ServerExitCode;

constexpr char kExamples[] = R"(
Examples:
  blendwire-server                                   the default model on 127.0.0.1:50051
  blendwire-server --model face.onnx --port 50052    your own model (docs/model-contract.md)
  blendwire-server --socket /run/user/1000/blendwire/server.sock
  blendwire-server --model-root ~/models             lets callers load models from there
  blendwire-server --config blendwire.toml           any of these flags from a file

Exit codes: 0 ended as asked, 2 usage, 3 address in use, 4 address not loopback,
            5 model failed, 6 token problem, 7 configuration file, 70 internal error.
)";

// CLI11 passes on the text of a failed check.
template <typename Parse>
CLI::Validator CheckedBy(Parse parse, const std::string& description) {
  return CLI::Validator(
      [parse](std::string& text) {
        const auto result = parse(text);
        return result.ok() ? std::string() : std::string(result.status().message());
      },
      description);
}

// A path that is made of a plain string takes it for text in the system's own encoding, which
// arguments are not everywhere.
CLI::Option* AddPath(CLI::App& app, const std::string& name, std::filesystem::path& path,
                     const std::string& description) {
  return app.add_option_function<std::string>(
      name, [&path](const std::string& text) { path = system::PathFromUtf8(text); }, description);
}

void AddServing(CLI::App& app, ServerOptions& options) {
  app.add_option("--host", options.host, "Loopback address to listen on")->capture_default_str();
  app.add_option("--port", options.port, "Port to listen on; 0 chooses a free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  AddPath(app, "--socket", options.socket,
          "Unix socket to listen on instead; its folder must be private (0700)");
  app.add_option("--workers", options.workers, "Predictions that run at a time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--queue", options.queue, "Calls that may wait for a worker")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--memory-budget", options.memory_budget_mib,
                 "MiB that all calls in flight may need together")
      ->check(CLI::Range(16, 1 << 20))
      ->capture_default_str();
  app.add_option(
         "--shared-memory", options.shared_memory_mib,
         "MiB that callers of this user may share with the server, so that big answers need "
         "not be sent; 0: none (64 with --managed). Not on Windows")
      ->check(CLI::Range(0, 1 << 20));
  app.add_option("--max-vertices", options.limits.max_vertices, "Largest mesh, in vertices")
      ->check(CLI::Range(int64_t{1}, int64_t{8'000'000}))
      ->capture_default_str();
  app.add_option("--max-batch", options.limits.max_batch_items, "Most items in one batch")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--grace", options.grace_seconds,
                 "Seconds that running calls get to finish at shutdown")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
}

void AddModels(CLI::App& app, ServerOptions& options) {
  auto* model = AddPath(app, "--model", options.model, "ONNX model file (the default model)");
  app.add_flag("--no-model", options.no_model, "Start without a model")->excludes(model);
  app.add_option_function<std::vector<std::string>>(
      "--model-root",
      [&options](const std::vector<std::string>& folders) {
        options.model_roots.clear();
        for (const std::string& folder : folders) {
          options.model_roots.push_back(system::PathFromUtf8(folder));
        }
      },
      "Folder that LoadModel may load from; may be given several times");
  app.add_option("--device", options.device, absl::StrCat("One of ", model::DeviceNames()))
      ->check(CheckedBy(model::ParseDevice, "DEVICE"))
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads of one model run; 0: one per processor")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  AddPath(app, "--check-model", options.check_model,
          "Check a model file, say what is wrong with it, and end");
}

void AddSecurityAndLog(CLI::App& app, ServerOptions& options) {
  auto* token = AddPath(app, "--token-file", options.token_file,
                        "File (0600) with a token that every call must carry");
  app.add_flag("--managed", options.managed,
               "For programs that start the server: token on the first line of standard input, one "
               "line of JSON on standard output when it serves, ends when standard input closes")
      ->excludes(token);
  app.add_option("--log-level", options.log_level, "DEBUG, INFO, WARNING or ERROR")
      ->check(CheckedBy(ParseLogLevel, "LEVEL"))
      ->capture_default_str();
  app.add_option("--log-format", options.log_format, "text or json, on standard error")
      ->check(CheckedBy(ParseLogFormat, "FORMAT"))
      ->capture_default_str();
}

void AddAll(CLI::App& app, ServerOptions& options) {
  AddServing(app, options);
  AddModels(app, options);
  AddSecurityAndLog(app, options);
}

// Whether the arguments are right by themselves, so that what is wrong must be in the file.
bool PassesWithoutConfiguration(int argc, const char* const* argv) {
  ServerOptions options;
  std::string ignored_file;
  CLI::App app;
  app.add_option("--config", ignored_file);
  AddAll(app, options);
  try {
    app.parse(argc, argv);
    return true;
  } catch (const CLI::Error&) {
    return false;
  }
}

}  // namespace

std::optional<ServerOptions> ParseArguments(int argc, const char* const* argv, int& exit_code) {
  ServerOptions options;
  CLI::App app("Predicts face shape keys for avatars, for programs on this machine.",
               "blendwire-server");
  app.footer(kExamples);
  app.set_version_flag("--version", absl::StrCat("blendwire-server ", contract::kVersion));
  app.set_config("--config", "", "TOML file with any of these flags; flags given here win");
  app.allow_config_extras(CLI::config_extras_mode::error);
  AddAll(app, options);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& wish) {  // --help, --version
    exit_code = app.exit(wish);
    return std::nullopt;
  } catch (const CLI::Error& error) {
    std::cerr << "blendwire-server: " << error.what() << "\nRun blendwire-server --help for usage."
              << std::endl;
    exit_code =
        static_cast<int>(PassesWithoutConfiguration(argc, argv) ? ServerExitCode::kBadConfiguration
                                                                : ServerExitCode::kUsage);
    return std::nullopt;
  }
  // Whoever manages a server is told its address, and may manage several.
  if (options.managed && app.count("--port") == 0) options.port = 0;
  return options;
}

}  // namespace blendwire::server

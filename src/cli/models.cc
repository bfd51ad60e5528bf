// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "cli/commands.h"
#include "cli/json_output.h"
#include "system/files.h"

namespace blendwire::cli {
namespace {

struct ModelOptions {
  ServerChoice server;
  std::string name = "default";
  std::string path;
  std::vector<std::string> options;  // KEY=VALUE
  bool json = false;
};

constexpr char kSeeModels[] = "blendwire models lists what is loaded";

Json ToJson(const ModelInfo& model) {
  return Json{{"name", model.name},
              {"version", model.version},
              {"title", model.title},
              {"execution_provider", model.execution_provider},
              {"condition_size", model.condition_size},
              {"condition_slots", model.condition_slots},
              {"takes_normals", model.takes_normals},
              {"max_batch", model.max_batch},
              {"expressions", model.expressions},
              {"sha256", model.sha256}};
}

ExitCode Models(const ModelOptions& options, const Context& context) {
  absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return context.Fail(session.status());
  const auto models = session->client.ListModels(context.call());
  if (!models.ok()) return context.Fail(models.status());
  if (options.json) {
    Json json = Json::array();
    for (const ModelInfo& model : *models) json.push_back(ToJson(model));
    context.out << Text(json) << std::endl;
    return ExitCode::kOk;
  }
  for (const ModelInfo& model : *models) {
    context.out << absl::StreamFormat("%-12s %-10s %s (%s), %d expressions\n", model.name,
                                      model.version, model.title, model.execution_provider,
                                      model.expressions.size());
  }
  context.out.flush();
  return ExitCode::kOk;
}

ExitCode Load(const ModelOptions& options, const Context& context) {
  LoadModelRequest request;
  // The server may run in another folder.
  request.path = system::ToUtf8(std::filesystem::absolute(system::PathFromUtf8(options.path)));
  request.name = options.name;
  for (const std::string& text : options.options) {
    const std::vector<std::string> parts = absl::StrSplit(text, absl::MaxSplits('=', 1));
    if (parts.size() != 2 || parts[0].empty()) {
      return context.FailUsage(
          absl::StrCat("--option is \"", text, "\", but must be KEY=VALUE, such as threads=2"));
    }
    request.options[parts[0]] = parts[1];
  }
  absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return context.Fail(session.status());
  const absl::StatusOr<LoadedModel> loaded = session->client.LoadModel(request, context.call());
  if (!loaded.ok()) return context.Fail(loaded.status());
  if (options.json) {
    context.out << Text(Json{{"name", options.name}, {"version", loaded->version}}) << std::endl;
  } else {
    context.out << "loaded " << options.name << ", version " << loaded->version << std::endl;
  }
  return ExitCode::kOk;
}

ExitCode Unload(const ModelOptions& options, const Context& context) {
  absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return context.Fail(session.status());
  const absl::Status status = session->client.UnloadModel(options.name, context.call());
  if (!status.ok()) return context.Fail(status, absl::IsNotFound(status) ? kSeeModels : "");
  if (options.json) {
    context.out << Text(Json{{"name", options.name}, {"unloaded", true}}) << std::endl;
  } else {
    context.out << "unloaded " << options.name << std::endl;
  }
  return ExitCode::kOk;
}

}  // namespace

void AddModels(CLI::App& app, Run& run) {
  auto options = std::make_shared<ModelOptions>();
  CLI::App* command = app.add_subcommand("models", "List a running server's models");
  AddServerOptions(*command, options->server);
  command->add_flag("--json", options->json, "As JSON, with all that is known of them");
  command->callback(
      [options, &run] { run = [options](Context& context) { return Models(*options, context); }; });
}

void AddLoad(CLI::App& app, Run& run) {
  auto options = std::make_shared<ModelOptions>();
  CLI::App* command = app.add_subcommand("load", "Load a model into a running server");
  command
      ->add_option("PATH", options->path, "ONNX file in one of the server's --model-root folders")
      ->required();
  command->add_option("--name", options->name, "What the model is called")->capture_default_str();
  command
      ->add_option("--option", options->options,
                   "device, threads, warmup or sha256; may be given several times")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->take_all();
  AddServerOptions(*command, options->server);
  // Opening and warming up a large model takes its time.
  options->server.timeout_seconds = 120;
  command->get_option("--timeout")->capture_default_str();
  command->add_flag("--json", options->json, "As JSON");
  command->callback(
      [options, &run] { run = [options](Context& context) { return Load(*options, context); }; });
}

void AddUnload(CLI::App& app, Run& run) {
  auto options = std::make_shared<ModelOptions>();
  CLI::App* command = app.add_subcommand("unload", "Take a model out of a running server");
  command->add_option("NAME", options->name, "What the model is called")->required();
  AddServerOptions(*command, options->server);
  command->add_flag("--json", options->json, "As JSON");
  command->callback(
      [options, &run] { run = [options](Context& context) { return Unload(*options, context); }; });
}

}  // namespace blendwire::cli

// SPDX-License-Identifier: Apache-2.0

#include "server/options.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "contract/version.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "system/process_figures.h"

namespace blendwire::server {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Parsed {
  std::optional<ServerOptions> options;
  int exit_code = -1;
  std::string out;
  std::string err;
};

Parsed Parse(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "blendwire-server");
  std::vector<const char*> pointers;
  for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
  Parsed parsed;
  ::testing::internal::CaptureStdout();
  ::testing::internal::CaptureStderr();
  parsed.options =
      ParseArguments(static_cast<int>(pointers.size()), pointers.data(), parsed.exit_code);
  parsed.out = ::testing::internal::GetCapturedStdout();
  parsed.err = ::testing::internal::GetCapturedStderr();
  return parsed;
}

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& text)
      : path_(fs::path(::testing::TempDir()) /
              absl::StrCat("blendwire_options_test_", system::ProcessId(), ".toml")) {
    std::ofstream(path_) << text;
  }
  ~ConfigFile() { fs::remove(path_); }
  std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST(OptionsTest, TheDefaultsAreTheSpecifications) {
  const Parsed parsed = Parse({});
  ASSERT_TRUE(parsed.options.has_value()) << parsed.err;
  EXPECT_EQ(parsed.options->host, "127.0.0.1");
  EXPECT_EQ(parsed.options->port, 50051);
  EXPECT_EQ(parsed.options->workers, 4);
  EXPECT_EQ(parsed.options->log_level, "INFO");
  EXPECT_TRUE(parsed.options->model.empty());
  EXPECT_FALSE(parsed.options->managed);
}

TEST(OptionsTest, TakesEveryFlag) {
  const Parsed parsed = Parse(
      {"--model", "a.onnx", "--host", "::1", "--port", "0", "--socket", "/run/s", "--workers", "2",
       "--queue", "9", "--memory-budget", "100", "--max-vertices", "5000", "--max-batch", "7",
       "--grace", "1.5", "--model-root", "/m", "--model-root", "/n", "--device", "CPU", "--threads",
       "3", "--token-file", "t", "--log-level", "debug", "--log-format", "json"});
  ASSERT_TRUE(parsed.options.has_value()) << parsed.err;
  const ServerOptions& options = *parsed.options;
  EXPECT_EQ(options.model, "a.onnx");
  EXPECT_EQ(options.host, "::1");
  EXPECT_EQ(options.port, 0);
  EXPECT_EQ(options.socket, "/run/s");
  EXPECT_EQ(options.workers, 2);
  EXPECT_EQ(options.queue, 9);
  EXPECT_EQ(options.memory_budget_mib, 100);
  EXPECT_EQ(options.limits.max_vertices, 5000);
  EXPECT_EQ(options.limits.max_batch_items, 7);
  EXPECT_EQ(options.grace_seconds, 1.5);
  EXPECT_THAT(options.model_roots, ElementsAre("/m", "/n"));
  EXPECT_EQ(options.device, "CPU");
  EXPECT_EQ(options.threads, 3);
  EXPECT_EQ(options.token_file, "t");
  EXPECT_EQ(options.log_level, "debug");
  EXPECT_EQ(options.log_format, "json");
}

TEST(OptionsTest, WrongArgumentsAreUsageErrorsThatNameTheFlag) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--port", "65536"},
           {"--port", "-1"},
           {"--port", "http"},
           {"--workers", "0"},
           {"--queue", "0"},
           {"--grace", "-1"},
           {"--threads", "-1"},
           {"--device", "gpu"},
           {"--log-level", "LOUD"},
           {"--log-format", "xml"},
           {"--no-such-flag"},
           {"--port"}}) {
    const Parsed parsed = Parse(arguments);
    EXPECT_FALSE(parsed.options.has_value()) << arguments[0];
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_THAT(parsed.err, AllOf(HasSubstr(arguments[0]), HasSubstr("--help")));
  }
}

TEST(OptionsTest, ContradictionsAreUsageErrors) {
  EXPECT_EQ(Parse({"--no-model", "--model", "a.onnx"}).exit_code, 2);
  EXPECT_EQ(Parse({"--managed", "--token-file", "t"}).exit_code, 2);
}

TEST(OptionsTest, HelpAndVersionEndWell) {
  const Parsed help = Parse({"--help"});
  EXPECT_FALSE(help.options.has_value());
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.out, AllOf(HasSubstr("--model-root"), HasSubstr("Exit codes")));
  const Parsed version = Parse({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_EQ(version.out, std::string("blendwire-server ") + contract::kVersion + "\n");
}

TEST(OptionsTest, AConfigurationFileMaySayEverything) {
  const ConfigFile file(
      "port = 1234\nworkers = 2\nmodel-root = [\"/m\", \"/n\"]\nlog-format = \"json\"\n"
      "grace = 0.5\nno-model = true\n");
  const Parsed parsed = Parse({"--config", file.path()});
  ASSERT_TRUE(parsed.options.has_value()) << parsed.err;
  EXPECT_EQ(parsed.options->port, 1234);
  EXPECT_EQ(parsed.options->workers, 2);
  EXPECT_THAT(parsed.options->model_roots, ElementsAre("/m", "/n"));
  EXPECT_EQ(parsed.options->log_format, "json");
  EXPECT_EQ(parsed.options->grace_seconds, 0.5);
  EXPECT_TRUE(parsed.options->no_model);
}

TEST(OptionsTest, AnArgumentWinsOverTheFile) {
  const ConfigFile file("port = 1234\nworkers = 2\n");
  const Parsed parsed = Parse({"--config", file.path(), "--port", "99"});
  ASSERT_TRUE(parsed.options.has_value()) << parsed.err;
  EXPECT_EQ(parsed.options->port, 99);
  EXPECT_EQ(parsed.options->workers, 2);
}

TEST(OptionsTest, AWrongFileHasAnExitCodeOfItsOwn) {
  EXPECT_EQ(Parse({"--config", "/no/such/file.toml"}).exit_code, 7);
  for (const char* text : {"prot = 1\n", "port = 70000\n", "port = \"http\"\n",
                           "device = \"gpu\"\n", "workers = [1, 2]\n"}) {
    const ConfigFile file(text);
    const Parsed parsed = Parse({"--config", file.path()});
    EXPECT_FALSE(parsed.options.has_value()) << text;
    EXPECT_EQ(parsed.exit_code, 7) << text;
    EXPECT_THAT(parsed.err, HasSubstr(std::string(text).substr(0, 4))) << text;
  }
}

TEST(OptionsTest, AWrongArgumentBesideAGoodFileIsStillUsage) {
  const ConfigFile file("workers = 2\n");
  EXPECT_EQ(Parse({"--config", file.path(), "--port", "x"}).exit_code, 2);
}

}  // namespace
}  // namespace blendwire::server

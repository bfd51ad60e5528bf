// SPDX-License-Identifier: Apache-2.0

#include "server/model_probe.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "contract/server_exit_code.h"
#include "expression/slot_layout.h"
#include "model/device.h"
#include "system/executable_path.h"
#include "system/process.h"
#include "system/resource_limits.h"

namespace blendwire::server {
namespace {

using contract::ServerExitCode;

constexpr absl::Duration kPatience = absl::Seconds(120);
// Address space, most of which a healthy model never touches.
constexpr int64_t kMaxChildMemory = int64_t{16} << 30;

std::string Utf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

// The file's SHA-256 if the model is fine.
absl::StatusOr<std::string> CheckModel(const std::filesystem::path& file,
                                       const model::LoadOptions& options) {
  const auto model = model::Model::Load(file, options);
  if (!model.ok()) return model.status();
  const std::vector<std::string>& slots = (*model)->facts().condition_slots;
  if (!slots.empty()) {
    if (auto layout = expression::SlotLayout::FromNames(slots); !layout.ok()) return layout.status();
  }
  return (*model)->facts().sha256;
}

absl::StatusOr<std::string> ReadReport(const std::string& line) {
  const auto report = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object() || !report.contains("code") || !report["code"].is_number_integer()) {
    return absl::InvalidArgumentError("the model file could not be checked");
  }
  const auto code = static_cast<absl::StatusCode>(report["code"].get<int>());
  if (code != absl::StatusCode::kOk) return absl::Status(code, report.value("message", ""));
  return report.value("sha256", "");
}

}  // namespace

const absl::StatusOr<std::filesystem::path>& ProbeProgram() {
  static const absl::StatusOr<std::filesystem::path> program = system::ExecutablePath();
  return program;
}

absl::StatusOr<std::string> ProbeModel(const std::filesystem::path& file,
                                       const model::LoadOptions& options, std::stop_token stop) {
  const absl::StatusOr<std::filesystem::path>& self = ProbeProgram();
  if (!self.ok()) return self.status();
  system::ProcessOptions start;
  start.program = *self;
  // On the CPU: whether a file is a good model does not depend on the device, and a GPU driver
  // reserves more address space than the child may have.
  start.arguments = {"--check-model", Utf8(file), "--device", "cpu"};
  if (options.threads > 0) {
    start.arguments.insert(start.arguments.end(), {"--threads", absl::StrCat(options.threads)});
  }
  start.standard_output = system::Redirect::Pipe();
  start.standard_error = system::Redirect::Null();
  absl::StatusOr<std::unique_ptr<system::Process>> child = system::Process::Start(start);
  if (!child.ok()) return child.status();

  const std::stop_callback give_up(stop, [&child] {
    (*child)->Kill();
    (*child)->StopReading();
  });
  const absl::Time deadline = absl::Now() + kPatience;
  const auto line = (*child)->ReadLine(system::Process::Output::kStandardOutput, kPatience);
  if (stop.stop_requested()) return absl::UnavailableError("the server is shutting down");
  if (line.ok()) return ReadReport(*line);
  const auto exit = (*child)->Wait(std::max(absl::Milliseconds(100), deadline - absl::Now()));
  if (!exit.has_value()) {
    (*child)->Kill();
    return absl::InvalidArgumentError(
        absl::StrCat("the model file took more than ", absl::FormatDuration(kPatience),
                     " to load in a trial, and was given up"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the model file ended the process that tried it (", exit->ToString(),
                   "), so this server does not load it"));
}

int CheckModelAndReport(const std::filesystem::path& file, const model::LoadOptions& options) {
  system::LimitMemory(kMaxChildMemory);
  absl::StatusOr<std::string> sha256;
  try {
    sha256 = CheckModel(file, options);
  } catch (const std::exception& error) {  // ONNX Runtime's own, and std::bad_alloc
    sha256 = absl::InvalidArgumentError(absl::StrCat("the model cannot be loaded: ", error.what()));
  }
  const nlohmann::json report = {{"code", static_cast<int>(sha256.status().code())},
                                 {"message", std::string(sha256.status().message())},
                                 {"sha256", sha256.ok() ? *sha256 : std::string()}};
  std::cout << report.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
  return static_cast<int>(sha256.ok() ? ServerExitCode::kOk : ServerExitCode::kModelFailed);
}

}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0

#include "server/model_calls.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "expression/slot_layout.h"
#include "server/log.h"
#include "server/model_probe.h"
#include "system/process_figures.h"

namespace blendwire::server {
namespace {

constexpr int kMaxThreads = 1024;
constexpr size_t kSha256Digits = 64;
constexpr absl::Duration kUnloadPatience = absl::Seconds(30);

absl::Status WrongOption(absl::string_view key, absl::string_view value, absl::string_view right) {
  return absl::InvalidArgumentError(
      absl::StrCat("options[\"", absl::CEscape(key), "\"] is \"",
                   absl::CEscape(value.substr(0, 100)), "\"; ", right));
}

absl::Status ApplyOption(absl::string_view key, absl::string_view value,
                         model::LoadOptions& options) {
  if (key == "device") {
    const absl::StatusOr<model::Device> device = model::ParseDevice(value);
    if (!device.ok()) {
      return WrongOption(key, value, absl::StrCat("it must be one of ", model::DeviceNames()));
    }
    options.device = *device;
  } else if (key == "threads") {
    if (!absl::SimpleAtoi(value, &options.threads) || options.threads < 1 ||
        options.threads > kMaxThreads) {
      return WrongOption(key, value, absl::StrCat("it must be 1 to ", kMaxThreads));
    }
  } else if (key == "warmup") {
    if (!absl::SimpleAtob(value, &options.warm_up)) {
      return WrongOption(key, value, "it must be true or false");
    }
  } else if (key == "sha256") {
    const auto is_digit = [](char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); };
    if (value.size() != kSha256Digits || !std::all_of(value.begin(), value.end(), is_digit)) {
      return WrongOption(key, value, "it must be 64 hexadecimal digits");
    }
    options.sha256 = std::string(value);
  } else {
    return WrongOption(key, value, "there are: device, sha256, threads, warmup");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<model::LoadOptions> ParseLoadOptions(
    const google::protobuf::Map<std::string, std::string>& options, const ModelDefaults& defaults) {
  model::LoadOptions result{.device = defaults.device, .threads = defaults.threads};
  for (const auto& [key, value] : options) {
    if (absl::Status status = ApplyOption(key, value, result); !status.ok()) return status;
  }
  return result;
}

absl::StatusOr<std::string> LoadTrusted(Core& core, const std::filesystem::path& file,
                                        absl::string_view name, const model::LoadOptions& options) {
  absl::StatusOr<model::ModelRef> model = model::Model::Load(file, options);
  if (!model.ok()) return model.status();
  if (const auto layout = core.layouts.For(*model); !layout.ok()) return layout.status();
  const model::ModelFacts facts = (*model)->facts();
  if (absl::Status status = core.models.Put(name, *std::move(model)); !status.ok()) return status;
  if (!facts.provider.fallback_reason.empty()) {
    Log(LogLevel::kWarning, "device-fallback",
        {{"wanted", std::string(model::DeviceName(options.device))},
         {"used", facts.provider.provider},
         {"reason", facts.provider.fallback_reason}});
  }
  Log(LogLevel::kInfo, "model-loaded",
      {{"name", name.empty() ? std::string(model::kDefaultModelName) : std::string(name)},
       {"version", facts.version},
       {"provider", facts.provider.provider},
       {"threads", absl::StrCat(facts.threads)},
       {"sha256", facts.sha256}});
  // What was there before may be gone now.
  system::ReleaseFreeMemory();
  return facts.version;
}

absl::Status LoadModel(Core& core, const pb::LoadModelRequest& request,
                       pb::LoadModelResponse& response) {
  if (absl::Status s = model::Repository::CheckName(request.model_name()); !s.ok()) return s;
  absl::StatusOr<model::LoadOptions> options =
      ParseLoadOptions(request.options(), core.model_defaults);
  if (!options.ok()) return options.status();
  const absl::StatusOr<std::filesystem::path> file = core.paths.Resolve(request.model_path());
  if (!file.ok()) return file.status();
  absl::StatusOr<std::string> sha256 = ProbeModel(*file, *options, core.abort.get_token());
  if (!sha256.ok()) return sha256.status();
  // What is loaded must be what was tried, also if somebody changes the file meanwhile.
  if (options->sha256.empty()) options->sha256 = *std::move(sha256);
  const absl::StatusOr<std::string> version =
      LoadTrusted(core, *file, request.model_name(), *options);
  if (!version.ok()) return version.status();
  response.set_success(true);
  response.set_model_version(*version);
  return absl::OkStatus();
}

absl::Status UnloadModel(Core& core, const pb::UnloadModelRequest& request,
                         pb::UnloadModelResponse& response) {
  if (absl::Status status = core.models.Remove(request.model_name(), kUnloadPatience);
      !status.ok()) {
    return status;
  }
  system::ReleaseFreeMemory();
  Log(LogLevel::kInfo, "model-unloaded", {{"name", request.model_name()}});
  response.set_success(true);
  return absl::OkStatus();
}

void ListModels(Core& core, pb::ListModelsResponse& response) {
  for (const model::Repository::Named& named : core.models.List()) {
    const model::ModelFacts& facts = named.model->facts();
    pb::ModelInfo& info = *response.add_models();
    info.set_name(named.name);
    info.set_version(facts.version);
    info.set_title(facts.title);
    info.set_execution_provider(facts.provider.provider);
    info.set_condition_size(facts.condition_size);
    info.mutable_condition_slots()->Assign(facts.condition_slots.begin(),
                                           facts.condition_slots.end());
    info.set_takes_normals(facts.takes_normals);
    info.set_max_batch(facts.max_batch);
    info.set_sha256(facts.sha256);
    const auto layout = core.layouts.For(named.model);
    if (!layout.ok()) continue;
    const std::vector<std::string> expressions = expression::SupportedExpressions(**layout);
    info.mutable_expressions()->Assign(expressions.begin(), expressions.end());
  }
}

}  // namespace blendwire::server

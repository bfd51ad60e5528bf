// SPDX-License-Identifier: Apache-2.0

#include "model/device.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "system/processor.h"

namespace blendwire::model {
namespace {

struct DeviceEntry {
  Device device;
  absl::string_view name;
  const char* provider;  // as Ort::GetAvailableProviders() names it
};

constexpr std::array<DeviceEntry, 5> kDevices = {{
    {Device::kAuto, "auto", ""},
    {Device::kCpu, "cpu", "CPUExecutionProvider"},
    {Device::kCuda, "cuda", "CUDAExecutionProvider"},
    {Device::kCoreMl, "coreml", "CoreMLExecutionProvider"},
    {Device::kDirectMl, "directml", "DmlExecutionProvider"},
}};

const DeviceEntry& EntryOf(Device device) {
  return *std::find_if(kDevices.begin(), kDevices.end(),
                       [device](const DeviceEntry& entry) { return entry.device == device; });
}

void Append(Device device, Ort::SessionOptions& options) {
  if (device == Device::kCuda) {
    OrtCUDAProviderOptionsV2* cuda = nullptr;
    Ort::ThrowOnError(Ort::GetApi().CreateCUDAProviderOptions(&cuda));
    const std::unique_ptr<OrtCUDAProviderOptionsV2, decltype(OrtApi::ReleaseCUDAProviderOptions)>
        owner(cuda, Ort::GetApi().ReleaseCUDAProviderOptions);
    options.AppendExecutionProvider_CUDA_V2(*cuda);
  } else if (device == Device::kCoreMl) {
    options.AppendExecutionProvider("CoreML");
  } else if (device == Device::kDirectMl) {
    // DirectML forbids both.
    options.DisableMemPattern();
    options.SetExecutionMode(ORT_SEQUENTIAL);
    options.AppendExecutionProvider("DML");
  }
}

// The reason it could not be added, or nothing.
std::string TryAppend(const DeviceEntry& entry, Ort::SessionOptions& options) {
  const std::vector<std::string> available = Ort::GetAvailableProviders();
  if (std::find(available.begin(), available.end(), entry.provider) == available.end()) {
    return absl::StrCat("this ONNX Runtime has no ", entry.provider, " (it has ",
                        absl::StrJoin(available, ", "), ")");
  }
  try {
    Append(entry.device, options);
  } catch (const Ort::Exception& error) {
    return absl::StrCat(entry.provider, " could not be started: ", error.what());
  }
  return "";
}

}  // namespace

std::string DeviceNames() {
  return absl::StrJoin(kDevices, ", ", [](std::string* out, const DeviceEntry& entry) {
    absl::StrAppend(out, entry.name);
  });
}

absl::StatusOr<Device> ParseDevice(absl::string_view name) {
  for (const DeviceEntry& entry : kDevices) {
    if (absl::EqualsIgnoreCase(entry.name, name)) return entry.device;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("device is \"", name, "\", but must be one of ", DeviceNames()));
}

absl::string_view DeviceName(Device device) { return EntryOf(device).name; }

std::string ProcessorDescription(int threads) {
  return absl::StrCat(system::ProcessorName(), ", ", threads,
                      threads == 1 ? " thread" : " threads");
}

ProviderChoice AppendProvider(Device wish, Ort::SessionOptions& options) {
  ProviderChoice choice;
  if (wish == Device::kCpu) return choice;
  for (const DeviceEntry& entry : kDevices) {
    if (entry.device == Device::kAuto || entry.device == Device::kCpu) continue;
    if (wish != Device::kAuto && wish != entry.device) continue;
    std::string reason = TryAppend(entry, options);
    if (reason.empty()) {
      choice.device = entry.device;
      choice.provider = entry.provider;
      choice.fallback_reason.clear();
      return choice;
    }
    // Nobody asked for a GPU by name with "auto": its absence is nothing to report.
    if (wish != Device::kAuto) choice.fallback_reason = std::move(reason);
  }
  return choice;
}

}  // namespace blendwire::model

// SPDX-License-Identifier: Apache-2.0
//
// Which hardware a model runs on: a device name as users write it, and ONNX Runtime's execution
// provider behind it.

#ifndef BLENDWIRE_MODEL_DEVICE_H_
#define BLENDWIRE_MODEL_DEVICE_H_

#include <onnxruntime_cxx_api.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::model {

enum class Device { kAuto, kCpu, kCuda, kCoreMl, kDirectMl };

// "auto", "cpu", "cuda", "coreml", "directml"; INVALID_ARGUMENT otherwise.
absl::StatusOr<Device> ParseDevice(absl::string_view name);
absl::string_view DeviceName(Device device);
// "auto, cpu, cuda, coreml, directml", for help and error texts.
std::string DeviceNames();

// The processor's name and the threads a run may use: "AMD EPYC 7B13, 2 threads".
std::string ProcessorDescription(int threads);

// What became of a wish for a device.
struct ProviderChoice {
  Device device = Device::kCpu;
  std::string provider = "CPUExecutionProvider";
  // Why it is not the device that was asked for; empty if it is.
  std::string fallback_reason;
};

// Adds to `options` the execution provider for `wish`, or falls back to the CPU and says why. For
// kAuto: the first GPU provider that this build of ONNX Runtime has and that can be created.
ProviderChoice AppendProvider(Device wish, Ort::SessionOptions& options);

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_DEVICE_H_

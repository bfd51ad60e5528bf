// SPDX-License-Identifier: Apache-2.0
//
// NVML's names, structures and constants are those of its API reference
// (https://docs.nvidia.com/deploy/nvml-api/), which keeps them binary compatible.

#include "system/gpu_figures.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "system/dynamic_library.h"
#include "system/process_figures.h"

namespace blendwire::system {
namespace {

using Return = int;  // nvmlReturn_t
constexpr Return kSuccess = 0;
using Device = struct NvmlDevice*;  // nvmlDevice_t

struct Utilization {  // nvmlUtilization_t
  unsigned int gpu;
  unsigned int memory;
};

struct ProcessInfo {  // nvmlProcessInfo_t, version 2
  unsigned int pid;
  uint64_t used_gpu_memory;
  unsigned int gpu_instance_id;
  unsigned int compute_instance_id;
};

constexpr unsigned int kMaxProcesses = 256;
// NVML_VALUE_NOT_AVAILABLE: a driver that does not tell.
constexpr uint64_t kNotAvailable = ~uint64_t{0};

class Nvml {
 public:
  // Null if this machine has no NVML, or it does not start.
  static const Nvml* Get() {
    static const Nvml* const instance = [] {
      auto nvml = std::make_unique<Nvml>();
      return nvml->Load() ? nvml.release() : nullptr;
    }();
    return instance;
  }

  GpuFigures Read() const {
    GpuFigures figures;
    unsigned int count = 0;
    if (get_count_(&count) != kSuccess) return figures;
    for (unsigned int i = 0; i < count; ++i) {
      Device device = nullptr;
      if (get_device_(i, &device) != kSuccess) continue;
      Utilization utilization = {};
      if (get_utilization_(device, &utilization) == kSuccess) {
        figures.utilization_percent =
            std::max(figures.utilization_percent, static_cast<double>(utilization.gpu));
      }
      figures.process_memory_bytes += ProcessMemory(device);
    }
    return figures;
  }

 private:
  bool Load() {
    Return (*init)() = nullptr;
    library_ = DynamicLibrary::Open({"libnvidia-ml.so.1", "nvml.dll"});
    return library_ != nullptr && library_->Find("nvmlInit_v2", init) &&
           library_->Find("nvmlDeviceGetCount_v2", get_count_) &&
           library_->Find("nvmlDeviceGetHandleByIndex_v2", get_device_) &&
           library_->Find("nvmlDeviceGetUtilizationRates", get_utilization_) &&
           library_->Find("nvmlDeviceGetComputeRunningProcesses_v3", get_processes_) &&
           init() == kSuccess;
  }

  int64_t ProcessMemory(Device device) const {
    std::array<ProcessInfo, kMaxProcesses> processes;
    unsigned int count = kMaxProcesses;
    if (get_processes_(device, &count, processes.data()) != kSuccess) return 0;
    int64_t bytes = 0;
    for (unsigned int i = 0; i < std::min(count, kMaxProcesses); ++i) {
      if (processes[i].pid == ProcessId() && processes[i].used_gpu_memory != kNotAvailable) {
        bytes += static_cast<int64_t>(processes[i].used_gpu_memory);
      }
    }
    return bytes;
  }

  std::unique_ptr<DynamicLibrary> library_;
  Return (*get_count_)(unsigned int*) = nullptr;
  Return (*get_device_)(unsigned int, Device*) = nullptr;
  Return (*get_utilization_)(Device, Utilization*) = nullptr;
  Return (*get_processes_)(Device, unsigned int*, ProcessInfo*) = nullptr;
};

}  // namespace

GpuFigures ReadGpuFigures() {
  const Nvml* const nvml = Nvml::Get();
  return nvml == nullptr ? GpuFigures{} : nvml->Read();
}

}  // namespace blendwire::system

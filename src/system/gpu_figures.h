// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_GPU_FIGURES_H_
#define BLENDWIRE_SYSTEM_GPU_FIGURES_H_

#include <cstdint>

namespace blendwire::system {

struct GpuFigures {
  int64_t process_memory_bytes = 0;  // of this process, on all devices
  double utilization_percent = 0.0;  // of the busiest device, by all processes
};

// From NVIDIA's management library (NVML), which is looked for at run time; zeros where there is
// none, or no device. Safe for use from several threads at once.
GpuFigures ReadGpuFigures();

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_GPU_FIGURES_H_

// SPDX-License-Identifier: Apache-2.0

#include <mach/mach.h>
#include <malloc/malloc.h>

#include "system/process_figures.h"

namespace blendwire::system {

int64_t ResidentMemoryBytes() {
  mach_task_basic_info info;
  mach_msg_type_number_t count = MACH_TASK_BASIC_INFO_COUNT;
  if (task_info(mach_task_self(), MACH_TASK_BASIC_INFO, reinterpret_cast<task_info_t>(&info),
                &count) != KERN_SUCCESS) {
    return 0;
  }
  return static_cast<int64_t>(info.resident_size);
}

void ShareHeaps() {}  // they are shared

void ReleaseFreeMemory() { malloc_zone_pressure_relief(nullptr, 0); }

}  // namespace blendwire::system

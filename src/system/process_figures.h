// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_PROCESS_FIGURES_H_
#define BLENDWIRE_SYSTEM_PROCESS_FIGURES_H_

#include <cstdint>

#include "absl/time/time.h"

namespace blendwire::system {

// Memory of this process that is in RAM, bytes; 0 if the system does not tell.
int64_t ResidentMemoryBytes();

// Processor time of this process since its start, user and system, all threads.
absl::Duration ProcessorTime();

// Gives memory that the allocator holds but nobody uses back to the system, where it can be asked.
void ReleaseFreeMemory();

int64_t ProcessId();

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_PROCESS_FIGURES_H_

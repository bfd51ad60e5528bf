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

// Lets all threads share two heaps, where the allocator would have more; to be called before there are
// threads. glibc gives each thread its own, up to eight for each processor, and what a call leaves in
// one is lost to the others: a server that 64 clients had called held 66 to 77 MiB, with two 55 to 60.
void ShareHeaps();

// Gives memory that the allocator holds but nobody uses back to the system, where it can be asked.
void ReleaseFreeMemory();

int64_t ProcessId();

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_PROCESS_FIGURES_H_

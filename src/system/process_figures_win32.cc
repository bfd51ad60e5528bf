// SPDX-License-Identifier: Apache-2.0

#include "system/process_figures.h"
#include "system/win32.h"

// After windows.h, which it needs.
#include <malloc.h>
#include <psapi.h>

namespace blendwire::system {
namespace {

// Windows counts in units of 100 ns.
int64_t Ticks(const FILETIME& time) {
  return (static_cast<int64_t>(time.dwHighDateTime) << 32) | time.dwLowDateTime;
}

}  // namespace

int64_t ResidentMemoryBytes() {
  PROCESS_MEMORY_COUNTERS counters = {};
  if (K32GetProcessMemoryInfo(GetCurrentProcess(), &counters, sizeof(counters)) == 0) return 0;
  return static_cast<int64_t>(counters.WorkingSetSize);
}

absl::Duration ProcessorTime() {
  FILETIME created;
  FILETIME ended;
  FILETIME kernel;
  FILETIME user;
  if (GetProcessTimes(GetCurrentProcess(), &created, &ended, &kernel, &user) == 0) {
    return absl::ZeroDuration();
  }
  return absl::Nanoseconds(100) * (Ticks(kernel) + Ticks(user));
}

void ShareHeaps() {}  // they are shared

void ReleaseFreeMemory() { _heapmin(); }

int64_t ProcessId() { return GetCurrentProcessId(); }

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#include <malloc.h>
#include <unistd.h>

#include <fstream>

#include "system/process_figures.h"

namespace blendwire::system {

int64_t ResidentMemoryBytes() {
  std::ifstream statm("/proc/self/statm");  // pages: size resident shared …
  int64_t size = 0;
  int64_t resident = 0;
  if (!(statm >> size >> resident)) return 0;
  return resident * sysconf(_SC_PAGESIZE);
}

void ShareHeaps() { mallopt(M_ARENA_MAX, 2); }

void ReleaseFreeMemory() { malloc_trim(0); }

}  // namespace blendwire::system

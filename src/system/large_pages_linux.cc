// SPDX-License-Identifier: Apache-2.0

#include <sys/mman.h>

#include "system/large_pages.h"

namespace blendwire::system {

void AskForLargePages(void* memory, size_t bytes) {
  static_cast<void>(madvise(memory, bytes, MADV_HUGEPAGE));
}

}  // namespace blendwire::system

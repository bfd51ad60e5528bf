// SPDX-License-Identifier: Apache-2.0

#include "system/shared_memory_reserve.h"

namespace blendwire::system {

// The objects are ordinary pageable memory here, bounded by nothing but swap: there is no call to
// reserve it, and no need.
int ReserveSharedMemory(int, size_t, size_t) { return 0; }

}  // namespace blendwire::system

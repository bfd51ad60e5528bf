// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_SHARED_MEMORY_RESERVE_H_
#define BLENDWIRE_SYSTEM_SHARED_MEMORY_RESERVE_H_

#include <cstddef>

namespace blendwire::system {

// Makes the system provide these bytes of a POSIX shared memory object now. Returns 0 or an errno.
int ReserveSharedMemory(int fd, size_t offset, size_t bytes);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_SHARED_MEMORY_RESERVE_H_

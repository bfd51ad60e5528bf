// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>

#include <cerrno>

#include "system/shared_memory_reserve.h"

namespace blendwire::system {

// The objects are files of a tmpfs, which may be full.
int ReserveSharedMemory(int fd, size_t offset, size_t bytes) {
  int error = EINTR;
  while (error == EINTR) {
    error = posix_fallocate(fd, static_cast<off_t>(offset), static_cast<off_t>(bytes));
  }
  return error;
}

}  // namespace blendwire::system

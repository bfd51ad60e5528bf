// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <unistd.h>

#include "system/process_pipe.h"

namespace blendwire::system {

// macOS has no pipe2: a child that another thread starts between the calls gets the ends.
int MakeCloseOnExecPipe(int ends[2]) {
  if (pipe(ends) != 0) return -1;
  if (fcntl(ends[0], F_SETFD, FD_CLOEXEC) == -1 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) == -1) {
    close(ends[0]);
    close(ends[1]);
    return -1;
  }
  return 0;
}

}  // namespace blendwire::system

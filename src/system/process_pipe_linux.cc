// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <unistd.h>

#include "system/process_pipe.h"

namespace blendwire::system {

int MakeCloseOnExecPipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_PROCESS_PIPE_H_
#define BLENDWIRE_SYSTEM_PROCESS_PIPE_H_

namespace blendwire::system {

// pipe(2) whose two ends no child inherits, also one that another thread starts meanwhile (as far as
// the system can promise that). Returns 0, or -1 with errno set. POSIX systems only.
int MakeCloseOnExecPipe(int ends[2]);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_PROCESS_PIPE_H_

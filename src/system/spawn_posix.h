// SPDX-License-Identifier: Apache-2.0
//
// posix_spawn rather than fork: the parent may be a large program with many threads, which fork
// would have to copy and whose locks a forked child would find taken. POSIX only.

#ifndef BLENDWIRE_SYSTEM_SPAWN_POSIX_H_
#define BLENDWIRE_SYSTEM_SPAWN_POSIX_H_

#include <sys/types.h>

#include "absl/status/statusor.h"
#include "system/posix.h"
#include "system/process.h"

namespace blendwire::system {

// Starts the program with these as its standard streams; a closed one is this process's own.
absl::StatusOr<pid_t> Spawn(const ProcessOptions& options, const Descriptor& input,
                            const Descriptor& output, const Descriptor& error);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_SPAWN_POSIX_H_

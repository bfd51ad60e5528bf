// SPDX-License-Identifier: Apache-2.0
//
// The standard streams of a process that is to be started. POSIX only.

#ifndef BLENDWIRE_SYSTEM_CHILD_STREAMS_POSIX_H_
#define BLENDWIRE_SYSTEM_CHILD_STREAMS_POSIX_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "system/posix.h"
#include "system/process.h"

namespace blendwire::system {

// The two ends of one standard stream. An inherited stream has neither.
struct StreamEnds {
  Descriptor parent;
  Descriptor child;
};

// All of them are closed in every child that is not given them.
absl::StatusOr<StreamEnds> OpenStream(const Redirect& redirect, bool is_input);

// Two ends of a pipe that both stay in this process.
struct PipeEnds {
  Descriptor reader;
  Descriptor writer;
};
absl::StatusOr<PipeEnds> OpenOwnPipe();

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_CHILD_STREAMS_POSIX_H_

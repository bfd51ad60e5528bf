// SPDX-License-Identifier: Apache-2.0
//
// The standard streams of a process that is to be started. Windows only.

#ifndef BLENDWIRE_SYSTEM_CHILD_STREAMS_WIN32_H_
#define BLENDWIRE_SYSTEM_CHILD_STREAMS_WIN32_H_

#include "absl/status/statusor.h"
#include "system/process.h"
#include "system/win32.h"

namespace blendwire::system {

inline constexpr DWORD kPipeBytes = 64 * 1024;

// The two ends of one standard stream. The child's can be inherited.
struct StreamEnds {
  Handle parent;
  Handle child;
};

// Pipes are named ones, since only those can be waited for with a time limit. `standard_stream` is
// STD_INPUT_HANDLE or one of the others.
absl::StatusOr<StreamEnds> OpenStream(const Redirect& redirect, DWORD standard_stream);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_CHILD_STREAMS_WIN32_H_

// SPDX-License-Identifier: Apache-2.0

#include "system/child_streams_posix.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "system/process_pipe.h"

namespace blendwire::system {
namespace {

// Moves a descriptor out of 0..2, where it can land when this process runs without standard
// streams, and where the child's own dup2 calls would overwrite it.
absl::Status LiftAboveStandard(Descriptor& descriptor) {
  if (descriptor.get() > STDERR_FILENO) return absl::OkStatus();
  Descriptor lifted(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!lifted.open()) return SystemError(errno, "a pipe cannot be set up");
  descriptor = std::move(lifted);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StreamEnds> OpenStream(const Redirect& redirect, bool is_input) {
  StreamEnds ends;
  const auto open_file = [&](const char* path) -> absl::Status {
    const int flags = is_input ? O_RDONLY : (O_WRONLY | O_CREAT | O_APPEND);
    ends.child = Descriptor(open(path, flags | O_CLOEXEC, 0600));
    if (!ends.child.open()) {
      return SystemError(errno, absl::StrCat("\"", path, "\" cannot be opened"));
    }
    return LiftAboveStandard(ends.child);
  };
  absl::Status status;
  switch (redirect.kind()) {
    case Redirect::Kind::kInherit:
      break;
    case Redirect::Kind::kNull:
      status = open_file("/dev/null");
      break;
    case Redirect::Kind::kFile:
      status = open_file(redirect.path().c_str());
      break;
    case Redirect::Kind::kPipe: {
      int fds[2];
      if (MakeCloseOnExecPipe(fds) != 0) return SystemError(errno, "a pipe cannot be made");
      ends.parent = Descriptor(fds[is_input ? 1 : 0]);
      ends.child = Descriptor(fds[is_input ? 0 : 1]);
      status = LiftAboveStandard(ends.child);
      if (status.ok()) status = LiftAboveStandard(ends.parent);
      // Only this end: the child expects blocking streams.
      fcntl(ends.parent.get(), F_SETFL, fcntl(ends.parent.get(), F_GETFL) | O_NONBLOCK);
      break;
    }
  }
  if (!status.ok()) return status;
  return ends;
}

absl::StatusOr<PipeEnds> OpenOwnPipe() {
  int fds[2];
  if (MakeCloseOnExecPipe(fds) != 0) return SystemError(errno, "a pipe cannot be made");
  PipeEnds ends{Descriptor(fds[0]), Descriptor(fds[1])};
  // As standard output of this process they would take whatever it prints.
  for (Descriptor* end : {&ends.reader, &ends.writer}) {
    if (absl::Status status = LiftAboveStandard(*end); !status.ok()) return status;
  }
  return ends;
}

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_EXIT_CODE_H_
#define BLENDWIRE_CLI_EXIT_CODE_H_

#include "absl/status/status.h"

namespace blendwire::cli {

// How `blendwire` ends; --help lists these.
enum class ExitCode {
  kOk = 0,
  kFailed = 1,
  kUsage = 2,
  kNoServer = 3,
  kInterrupted = 130,  // as a shell says it of a program that Ctrl-C has ended
};

// The exit code for a call that ended with `status`.
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_EXIT_CODE_H_

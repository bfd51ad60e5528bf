// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_APP_H_
#define BLENDWIRE_CLI_APP_H_

#include <string>
#include <vector>

#include "cli/context.h"

namespace blendwire::cli {

// The whole program: parses the arguments (UTF-8, without the program's own name) and does what
// they say. Never throws.
ExitCode RunProgram(const std::vector<std::string>& arguments, Context& context);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_APP_H_

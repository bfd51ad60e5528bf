// SPDX-License-Identifier: Apache-2.0

#include <unistd.h>

#include <optional>
#include <string>

#include "system/process.h"
#include "system/terminal.h"

namespace blendwire::system {

bool StandardErrorIsTerminal() {
  const std::optional<std::string> kind = GetEnvironment("TERM");
  return isatty(STDERR_FILENO) == 1 && kind.has_value() && *kind != "dumb";
}

}  // namespace blendwire::system

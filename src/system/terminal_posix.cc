// SPDX-License-Identifier: Apache-2.0

#include <unistd.h>

#include <optional>
#include <string>

#include "system/process.h"
#include "system/terminal.h"

namespace blendwire::system {
namespace {

bool IsTerminal(int descriptor) {
  const std::optional<std::string> kind = GetEnvironment("TERM");
  return isatty(descriptor) == 1 && kind.has_value() && *kind != "dumb";
}

}  // namespace

bool StandardErrorIsTerminal() { return IsTerminal(STDERR_FILENO); }

bool StandardOutputIsTerminal() { return IsTerminal(STDOUT_FILENO); }

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#include "system/terminal.h"
#include "system/win32.h"

namespace blendwire::system {
namespace {

// A console since Windows 10 understands escape sequences, once it is asked to.
bool IsTerminal(DWORD stream) {
  const HANDLE handle = GetStdHandle(stream);
  DWORD mode = 0;
  return GetConsoleMode(handle, &mode) != 0 &&
         SetConsoleMode(handle, mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

}  // namespace

bool StandardErrorIsTerminal() { return IsTerminal(STD_ERROR_HANDLE); }

bool StandardOutputIsTerminal() { return IsTerminal(STD_OUTPUT_HANDLE); }

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#include "system/environment.h"

#include <cstdlib>

#include "system/win32.h"

namespace blendwire::system {

// A library with a C runtime of its own sees the system's variables only, this program's own runtime
// only its copies.
void SetEnvironment(const char* name, const char* value) noexcept {
  SetEnvironmentVariableA(name, value);
  _putenv_s(name, value);
}

}  // namespace blendwire::system

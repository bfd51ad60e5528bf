// SPDX-License-Identifier: Apache-2.0

#include "system/environment.h"

#include <cstdlib>

namespace blendwire::system {

void SetEnvironment(const char* name, const char* value) noexcept {
  setenv(name, value, /*overwrite=*/1);
}

}  // namespace blendwire::system

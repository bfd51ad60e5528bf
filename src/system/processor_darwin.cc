// SPDX-License-Identifier: Apache-2.0

#include <sys/sysctl.h>

#include <array>

#include "system/processor.h"

namespace blendwire::system {

std::string ProcessorName() {
  std::array<char, 256> name = {};
  size_t size = name.size() - 1;
  if (sysctlbyname("machdep.cpu.brand_string", name.data(), &size, nullptr, 0) != 0) {
    return "unknown processor";
  }
  return name.data();
}

}  // namespace blendwire::system

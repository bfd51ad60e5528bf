// SPDX-License-Identifier: Apache-2.0

#include <fstream>

#include "system/processor.h"

namespace blendwire::system {

std::string ProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    // x86 says "model name", some ARM kernels "Model".
    if (!line.starts_with("model name") && !line.starts_with("Model")) continue;
    const size_t colon = line.find(": ");
    if (colon != std::string::npos && colon + 2 < line.size()) return line.substr(colon + 2);
  }
  return "unknown processor";
}

}  // namespace blendwire::system

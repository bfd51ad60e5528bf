// SPDX-License-Identifier: Apache-2.0

#include "system/program_start.h"

#include <cstdlib>

namespace blendwire::system {

std::vector<std::string> StartProgram(int argc, const char* const* argv) {
  return std::vector<std::string>(argv, argv + argc);
}

void EndProgram(int exit_code) { std::exit(exit_code); }

}  // namespace blendwire::system

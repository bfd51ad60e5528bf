// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_PROGRAM_START_H_
#define BLENDWIRE_SYSTEM_PROGRAM_START_H_

#include <string>
#include <vector>

namespace blendwire::system {

// First thing in main(): makes the standard streams carry UTF-8 and the same bytes on every system,
// and returns the arguments in UTF-8, the program's own name first.
std::vector<std::string> StartProgram(int argc, const char* const* argv);

// Ends the program as a return from main() does, but also when a thread still waits for standard
// input: on Windows main() would not return then.
[[noreturn]] void EndProgram(int exit_code);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_PROGRAM_START_H_

// SPDX-License-Identifier: Apache-2.0
//
// What CreateProcessW takes instead of lists. Windows only.

#ifndef BLENDWIRE_SYSTEM_COMMAND_LINE_WIN32_H_
#define BLENDWIRE_SYSTEM_COMMAND_LINE_WIN32_H_

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace blendwire::system {

// One line that a C or C++ program takes apart into the same arguments again.
std::wstring CommandLine(const std::filesystem::path& program,
                         const std::vector<std::string>& arguments);

// This process's environment with the changes, as one block: sorted, each entry ended by a NUL, and
// one more at the end.
std::wstring EnvironmentBlock(const std::map<std::string, std::optional<std::string>>& changes);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_COMMAND_LINE_WIN32_H_

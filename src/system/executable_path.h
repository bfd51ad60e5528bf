// SPDX-License-Identifier: Apache-2.0
//
// Where the running code lies on disk: what is installed beside it is found from there.

#ifndef BLENDWIRE_SYSTEM_EXECUTABLE_PATH_H_
#define BLENDWIRE_SYSTEM_EXECUTABLE_PATH_H_

#include <filesystem>
#include <string_view>

#include "absl/status/statusor.h"

namespace blendwire::system {

// The running program's file, absolute, symbolic links resolved. UNKNOWN if the system does not
// tell, or the file has been removed.
absl::StatusOr<std::filesystem::path> ExecutablePath();

// The file of the shared library, or of the program, whose code or data `address` points into;
// absolute, symbolic links resolved. NOT_FOUND if there is none.
absl::StatusOr<std::filesystem::path> ModulePath(const void* address);

// A program's file name on this system: "blendwire-server" becomes "blendwire-server.exe" on
// Windows.
std::filesystem::path ProgramFileName(std::string_view name);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_EXECUTABLE_PATH_H_

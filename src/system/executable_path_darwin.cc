// SPDX-License-Identifier: Apache-2.0

#include <mach-o/dyld.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "system/executable_path.h"

namespace blendwire::system {

absl::StatusOr<std::filesystem::path> ExecutablePath() {
  uint32_t size = 0;
  _NSGetExecutablePath(nullptr, &size);  // fails, and says how much room the path takes
  std::string buffer(size, '\0');
  if (_NSGetExecutablePath(buffer.data(), &size) != 0) {
    return absl::UnknownError("the running program's file cannot be told");
  }
  std::error_code error;
  std::filesystem::path path = std::filesystem::canonical(buffer.c_str(), error);
  if (error) {
    return absl::UnknownError(
        absl::StrCat("the running program's file cannot be told: ", error.message()));
  }
  return path;
}

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "system/executable_path.h"

namespace blendwire::system {

absl::StatusOr<std::filesystem::path> ExecutablePath() {
  std::error_code error;
  std::filesystem::path path = std::filesystem::canonical("/proc/self/exe", error);
  if (error) {
    return absl::UnknownError(
        absl::StrCat("the running program's file cannot be told: ", error.message()));
  }
  return path;
}

}  // namespace blendwire::system

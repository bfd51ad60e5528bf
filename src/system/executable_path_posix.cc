// SPDX-License-Identifier: Apache-2.0

#include <dlfcn.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "system/executable_path.h"

namespace blendwire::system {

absl::StatusOr<std::filesystem::path> ModulePath(const void* address) {
  Dl_info info;
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) {
    return absl::NotFoundError("the address belongs to no loaded program or library");
  }
  // A program's own name is what it was started by, which may be relative to a folder that is no
  // longer the current one: without a slash it was even found along PATH.
  std::error_code error;
  std::filesystem::path path = std::filesystem::canonical(info.dli_fname, error);
  if (!error && std::string_view(info.dli_fname).find('/') != std::string_view::npos) return path;
  absl::StatusOr<std::filesystem::path> program = ExecutablePath();
  if (program.ok() && program->filename() == std::filesystem::path(info.dli_fname).filename()) {
    return program;
  }
  return absl::NotFoundError(
      absl::StrCat("\"", info.dli_fname, "\" cannot be found: ", error.message()));
}

std::filesystem::path ProgramFileName(std::string_view name) { return std::filesystem::path(name); }

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "system/executable_path.h"
#include "system/win32.h"

namespace blendwire::system {
namespace {

// As Windows has loaded it, which is absolute; null stands for the program.
absl::StatusOr<std::filesystem::path> FileOf(HMODULE module) {
  std::wstring buffer(MAX_PATH, L'\0');
  while (true) {
    const DWORD length =
        GetModuleFileNameW(module, buffer.data(), static_cast<DWORD>(buffer.size()));
    if (length == 0) {
      return absl::UnknownError(absl::StrCat("a loaded program or library's file cannot be told: ",
                                             ErrorText(GetLastError())));
    }
    if (length < buffer.size()) {
      buffer.resize(length);
      return std::filesystem::path(buffer);
    }
    buffer.resize(buffer.size() * 2);
  }
}

}  // namespace

absl::StatusOr<std::filesystem::path> ExecutablePath() { return FileOf(nullptr); }

absl::StatusOr<std::filesystem::path> ModulePath(const void* address) {
  HMODULE module = nullptr;
  if (address == nullptr ||
      GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                             GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                         static_cast<const wchar_t*>(address), &module) == 0) {
    return absl::NotFoundError("the address belongs to no loaded program or library");
  }
  return FileOf(module);
}

std::filesystem::path ProgramFileName(std::string_view name) {
  return std::filesystem::path(Wide(name) + L".exe");
}

}  // namespace blendwire::system

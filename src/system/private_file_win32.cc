// SPDX-License-Identifier: Apache-2.0

#include "system/private_file.h"

// windows.h first.
#include "system/win32.h"

#include <aclapi.h>
#include <sddl.h>

#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "system/files.h"

namespace blendwire::system {
namespace {

// Owner and system may do everything, nobody else anything, whatever the folder above says.
constexpr wchar_t kOwnerOnly[] = L"D:P(A;OICI;FA;;;OW)(A;OICI;FA;;;SY)";

// Frees what Windows has allocated.
class LocalMemory {
 public:
  LocalMemory() = default;
  ~LocalMemory() { LocalFree(memory_); }
  LocalMemory(const LocalMemory&) = delete;
  LocalMemory& operator=(const LocalMemory&) = delete;

  PSECURITY_DESCRIPTOR get() const { return memory_; }
  PSECURITY_DESCRIPTOR* out() { return &memory_; }

 private:
  PSECURITY_DESCRIPTOR memory_ = nullptr;
};

absl::Status Failed(const std::filesystem::path& path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(ToUtf8(path), " ", why));
}

// Whether it stands for more than one user.
bool IsManyUsers(PSID sid) {
  for (const WELL_KNOWN_SID_TYPE type : {WinWorldSid, WinAnonymousSid, WinAuthenticatedUserSid,
                                         WinBuiltinUsersSid, WinBuiltinGuestsSid,
                                         WinInteractiveSid, WinNetworkSid}) {
    if (IsWellKnownSid(sid, type) != 0) return true;
  }
  return false;
}

bool OthersMayRead(PACL acl) {
  if (acl == nullptr) return true;  // no list: everybody may do everything
  for (DWORD i = 0; i < acl->AceCount; ++i) {
    void* entry = nullptr;
    if (GetAce(acl, i, &entry) == 0) continue;
    auto* allowed = static_cast<ACCESS_ALLOWED_ACE*>(entry);
    constexpr DWORD kRead = FILE_READ_DATA | GENERIC_READ | GENERIC_ALL;
    if (allowed->Header.AceType == ACCESS_ALLOWED_ACE_TYPE &&
        (allowed->Header.AceFlags & INHERIT_ONLY_ACE) == 0 && (allowed->Mask & kRead) != 0 &&
        IsManyUsers(&allowed->SidStart)) {
      return true;
    }
  }
  return false;
}

absl::Status CheckRights(const std::filesystem::path& path) {
  PACL acl = nullptr;
  LocalMemory descriptor;
  const DWORD error =
      GetNamedSecurityInfoW(path.c_str(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                            nullptr, &acl, nullptr, descriptor.out());
  if (error != ERROR_SUCCESS) return Failed(path, ErrorText(error));
  if (OthersMayRead(acl)) {
    return Failed(path, absl::StrCat("can be read by other users of this machine; run: icacls \"",
                                     ToUtf8(path), "\" /inheritance:r /grant:r \"%USERNAME%:F\""));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPrivateFile(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    return Failed(file, error ? error.message() : "is not a file");
  }
  return CheckRights(file);
}

absl::Status EnsurePrivateFolder(const std::filesystem::path& folder) {
  LocalMemory descriptor;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(kOwnerOnly, SDDL_REVISION_1,
                                                           descriptor.out(), nullptr) == 0) {
    return Failed(folder, ErrorText(GetLastError()));
  }
  SECURITY_ATTRIBUTES attributes = {sizeof(attributes), descriptor.get(), FALSE};
  if (CreateDirectoryW(folder.c_str(), &attributes) == 0 &&
      GetLastError() != ERROR_ALREADY_EXISTS) {
    return Failed(folder, ErrorText(GetLastError()));
  }
  std::error_code error;
  if (!std::filesystem::is_directory(folder, error)) return Failed(folder, "is not a folder");
  return CheckRights(folder);
}

absl::Status MakePrivate(const std::filesystem::path& file) {
  LocalMemory descriptor;
  BOOL present = FALSE;
  BOOL by_default = FALSE;
  PACL acl = nullptr;
  if (ConvertStringSecurityDescriptorToSecurityDescriptorW(kOwnerOnly, SDDL_REVISION_1,
                                                           descriptor.out(), nullptr) == 0 ||
      GetSecurityDescriptorDacl(descriptor.get(), &present, &acl, &by_default) == 0) {
    return Failed(file, ErrorText(GetLastError()));
  }
  std::wstring name = file.native();
  const DWORD error = SetNamedSecurityInfoW(
      name.data(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
      nullptr, nullptr, acl, nullptr);
  if (error != ERROR_SUCCESS) return Failed(file, ErrorText(error));
  return absl::OkStatus();
}

}  // namespace blendwire::system

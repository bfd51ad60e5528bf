// SPDX-License-Identifier: Apache-2.0

#include "system/private_file.h"

// windows.h first.
#include <aclapi.h>
#include <sddl.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "system/files.h"
#include "system/win32.h"

namespace blendwire::system {
namespace {

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

// "S-1-5-…" of who runs this process; empty with GetLastError() where Windows does not say.
std::wstring ThisUser() {
  HANDLE opened = nullptr;
  if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened) == 0) return {};
  const Handle token(opened);
  alignas(TOKEN_USER) std::byte buffer[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
  DWORD size = 0;
  if (GetTokenInformation(token.get(), TokenUser, buffer, sizeof(buffer), &size) == 0) return {};
  wchar_t* text = nullptr;
  if (ConvertSidToStringSidW(reinterpret_cast<TOKEN_USER*>(buffer)->User.Sid, &text) == 0) {
    return {};
  }
  const std::wstring result = text;
  LocalFree(text);
  return result;
}

// This user and the system may do everything, nobody else anything, whatever the folder above says.
// The user and not the owner: what an administrator makes belongs to all administrators.
absl::Status DescribeThisUserOnly(LocalMemory& descriptor) {
  const std::wstring user = ThisUser();
  const std::wstring rights = L"D:P(A;OICI;FA;;;" + user + L")(A;OICI;FA;;;SY)";
  if (user.empty() || ConvertStringSecurityDescriptorToSecurityDescriptorW(
                          rights.c_str(), SDDL_REVISION_1, descriptor.out(), nullptr) == 0) {
    return SystemError(GetLastError(), "the rights of this user");
  }
  return absl::OkStatus();
}

// Whether it stands for more than one user.
bool IsManyUsers(PSID sid) {
  for (const WELL_KNOWN_SID_TYPE type :
       {WinWorldSid, WinAnonymousSid, WinAuthenticatedUserSid, WinBuiltinUsersSid,
        WinBuiltinGuestsSid, WinInteractiveSid, WinNetworkSid}) {
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
  const DWORD error = GetNamedSecurityInfoW(path.c_str(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION,
                                            nullptr, nullptr, &acl, nullptr, descriptor.out());
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
  if (absl::Status status = DescribeThisUserOnly(descriptor); !status.ok()) {
    return Failed(folder, status.message());
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
  if (absl::Status status = DescribeThisUserOnly(descriptor); !status.ok()) {
    return Failed(file, status.message());
  }
  // And not SetNamedSecurityInfo, whose protection against what the folder passes on Wine ignores.
  if (SetFileSecurityW(file.c_str(),
                       DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
                       descriptor.get()) == 0) {
    return Failed(file, ErrorText(GetLastError()));
  }
  return absl::OkStatus();
}

}  // namespace blendwire::system

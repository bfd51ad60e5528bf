// SPDX-License-Identifier: Apache-2.0

#include "system/child_streams_win32.h"

#include <filesystem>
#include <random>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "system/files.h"

namespace blendwire::system {
namespace {

std::wstring UniquePipeName() {
  std::random_device random;
  return Wide(absl::StrCat("\\\\.\\pipe\\blendwire-", GetCurrentProcessId(), "-",
                           absl::Hex(random(), absl::kZeroPad8),
                           absl::Hex(random(), absl::kZeroPad8)));
}

absl::StatusOr<StreamEnds> OpenPipe(bool is_input) {
  const std::wstring name = UniquePipeName();
  StreamEnds ends;
  ends.parent = Handle(CreateNamedPipeW(
      name.c_str(),
      static_cast<DWORD>(is_input ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_INBOUND) |
          FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
      PIPE_TYPE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS, /*instances*/ 1, kPipeBytes,
      kPipeBytes, 0, nullptr));
  if (!ends.parent.open()) return SystemError(GetLastError(), "a pipe cannot be made");
  // There is one instance: if another program were faster here, this fails, and nothing has been
  // written yet.
  SECURITY_ATTRIBUTES inherited = {sizeof(inherited), nullptr, TRUE};
  ends.child = Handle(CreateFileW(name.c_str(), is_input ? GENERIC_READ : GENERIC_WRITE, 0,
                                  &inherited, OPEN_EXISTING, 0, nullptr));
  if (!ends.child.open()) return SystemError(GetLastError(), "a pipe cannot be opened");
  return ends;
}

absl::StatusOr<StreamEnds> OpenFile(const std::filesystem::path& path, bool is_input) {
  SECURITY_ATTRIBUTES inherited = {sizeof(inherited), nullptr, TRUE};
  StreamEnds ends;
  ends.child = Handle(CreateFileW(
      path.c_str(), is_input ? GENERIC_READ : static_cast<DWORD>(FILE_APPEND_DATA | SYNCHRONIZE),
      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, &inherited,
      static_cast<DWORD>(is_input ? OPEN_EXISTING : OPEN_ALWAYS), FILE_ATTRIBUTE_NORMAL, nullptr));
  if (!ends.child.open()) {
    return SystemError(GetLastError(), absl::StrCat("\"", ToUtf8(path), "\" cannot be opened"));
  }
  return ends;
}

// This process's own stream. A program with windows often has none: then neither has the child.
absl::StatusOr<StreamEnds> InheritStream(DWORD standard_stream) {
  StreamEnds ends;
  const HANDLE own = GetStdHandle(standard_stream);
  if (own == nullptr || own == INVALID_HANDLE_VALUE) return ends;
  HANDLE copy = nullptr;
  if (DuplicateHandle(GetCurrentProcess(), own, GetCurrentProcess(), &copy, 0, TRUE,
                      DUPLICATE_SAME_ACCESS) != 0) {
    ends.child = Handle(copy);
  }
  return ends;
}

}  // namespace

absl::StatusOr<StreamEnds> OpenStream(const Redirect& redirect, DWORD standard_stream) {
  const bool is_input = standard_stream == STD_INPUT_HANDLE;
  switch (redirect.kind()) {
    case Redirect::Kind::kInherit:
      return InheritStream(standard_stream);
    case Redirect::Kind::kNull:
      return OpenFile(L"NUL", is_input);
    case Redirect::Kind::kFile:
      return OpenFile(redirect.path(), is_input);
    case Redirect::Kind::kPipe:
      return OpenPipe(is_input);
  }
  return absl::InternalError("an unknown kind of redirection");
}

}  // namespace blendwire::system

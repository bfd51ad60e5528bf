// SPDX-License-Identifier: Apache-2.0
//
// What the Windows sources of this folder share. Windows only.

#ifndef BLENDWIRE_SYSTEM_WIN32_H_
#define BLENDWIRE_SYSTEM_WIN32_H_

#include <windows.h>

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace blendwire::system {

// Between UTF-8 and what Windows' own functions take. What is no text becomes U+FFFD.
std::wstring Wide(std::string_view utf8);
std::string Utf8(std::wstring_view wide);

// What Windows says of an error, in UTF-8 and without a line end.
std::string ErrorText(DWORD error);

// "`what`: why", with the code that fits. NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNKNOWN.
absl::Status SystemError(DWORD error, absl::string_view what);

// Owns a handle; closes it.
class Handle {
 public:
  Handle() = default;
  explicit Handle(HANDLE handle) : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
  Handle(Handle&& other) noexcept : handle_(other.handle_) { other.handle_ = nullptr; }
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      Close();
      handle_ = other.handle_;
      other.handle_ = nullptr;
    }
    return *this;
  }
  ~Handle() { Close(); }

  HANDLE get() const { return handle_; }
  bool open() const { return handle_ != nullptr; }
  void Close() {
    if (handle_ != nullptr) CloseHandle(handle_);
    handle_ = nullptr;
  }

 private:
  HANDLE handle_ = nullptr;
};

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_WIN32_H_

// SPDX-License-Identifier: Apache-2.0
//
// What the POSIX sources of this folder share. POSIX only.

#ifndef BLENDWIRE_SYSTEM_POSIX_H_
#define BLENDWIRE_SYSTEM_POSIX_H_

#include <unistd.h>

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace blendwire::system {

// "`what`: why", with the code that fits an errno. NOT_FOUND, PERMISSION_DENIED, RESOURCE_EXHAUSTED,
// UNKNOWN.
absl::Status SystemError(int error, absl::string_view what);

// Owns a file descriptor; closes it.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { Close(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_POSIX_H_

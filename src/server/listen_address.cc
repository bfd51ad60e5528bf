// SPDX-License-Identifier: Apache-2.0

#include "server/listen_address.h"

#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "system/files.h"
#include "system/private_file.h"
#include "system/unix_socket.h"

namespace blendwire::server {
namespace {

// sockaddr_un::sun_path has 108 bytes on Linux and 104 on macOS, the closing NUL included.
constexpr size_t kMaxSocketPath = 103;

}  // namespace

absl::StatusOr<std::string> LoopbackHost(absl::string_view host) {
  if (absl::EqualsIgnoreCase(host, "localhost")) return std::string("127.0.0.1");
  if (host == "::1" || host == "[::1]") return std::string("::1");
  // Not the rest of 127.0.0.0/8: gRPC's local credentials turn away callers who come from there.
  if (host == "127.0.0.1") return std::string(host);
  return absl::InvalidArgumentError(
      absl::StrCat("host is \"", host, "\", which is not a loopback address that is known to be safe "
                   "from other machines; use 127.0.0.1, ::1, localhost or --socket"));
}

std::string HostAndPort(absl::string_view host, int port) {
  return absl::StrContains(host, ':') ? absl::StrCat("[", host, "]:", port)
                                      : absl::StrCat(host, ":", port);
}

absl::Status PrepareSocketPath(const std::filesystem::path& path) {
  if (!system::HaveUnixSockets()) {
    return absl::UnimplementedError(
        absl::StrCat("socket is \"", system::ToUtf8(path),
                     "\", but there are no unix sockets on this system; use --host and --port"));
  }
  const size_t length = path.native().size();
  if (!path.is_absolute() || length > kMaxSocketPath) {
    return absl::InvalidArgumentError(
        absl::StrCat("socket is \"", system::ToUtf8(path), "\"; it must be an absolute path of at most ",
                     kMaxSocketPath, " bytes"));
  }
  if (absl::Status s = system::EnsurePrivateFolder(path.parent_path()); !s.ok()) return s;
  std::error_code error;
  const auto status = std::filesystem::symlink_status(path, error);
  if (!std::filesystem::exists(status)) return absl::OkStatus();
  if (!std::filesystem::is_socket(status)) {
    return absl::FailedPreconditionError(
        absl::StrCat(system::ToUtf8(path), " exists and is no socket; remove it, or choose another path"));
  }
  // gRPC would take a socket away from a server that still listens on it.
  if (system::IsSocketInUse(path)) {
    return absl::AlreadyExistsError(
        absl::StrCat("another program listens on ", system::ToUtf8(path), "; stop it, or choose another path"));
  }
  return absl::OkStatus();
}

}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0
//
// Where the server may listen: on this machine only.

#ifndef BLENDWIRE_SERVER_LISTEN_ADDRESS_H_
#define BLENDWIRE_SERVER_LISTEN_ADDRESS_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::server {

// The numeric form of a loopback host: "127.0.0.1", "::1" (also in brackets), "localhost" (which is
// 127.0.0.1 here, whatever a resolver says). INVALID_ARGUMENT for everything else, the rest of
// 127.0.0.0/8 and host names included: what they resolve to can change.
absl::StatusOr<std::string> LoopbackHost(absl::string_view host);

// "127.0.0.1:50051", "[::1]:50051"; `host` from LoopbackHost().
std::string HostAndPort(absl::string_view host, int port);

// Gets a unix socket's place ready: a folder that only this user may enter, and no left-over socket
// of a server that has ended. INVALID_ARGUMENT for a path that is too long for a socket;
// FAILED_PRECONDITION if the folder is not private or something that is no socket lies there;
// ALREADY_EXISTS if a program listens there.
absl::Status PrepareSocketPath(const std::filesystem::path& path);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_LISTEN_ADDRESS_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_ADDRESS_H_
#define BLENDWIRE_CLIENT_ADDRESS_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::client {

// The gRPC target for a server's address: "127.0.0.1:50051", any other 127.x.y.z, "localhost:50051"
// (IPv4 loopback: no name is looked up, since a resolver could lead elsewhere, or wait for a network
// that is not there), "[::1]:50051" or "unix:/path". INVALID_ARGUMENT for anything else: the token
// and the meshes must not leave this machine.
absl::StatusOr<std::string> LocalTarget(absl::string_view address);

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_ADDRESS_H_

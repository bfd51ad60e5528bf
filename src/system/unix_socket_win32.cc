// SPDX-License-Identifier: Apache-2.0

#include "system/unix_socket.h"

namespace blendwire::system {

// Windows has unix sockets, but gRPC does not use them there.
bool HaveUnixSockets() { return false; }

bool IsSocketInUse(const std::filesystem::path&) { return false; }

}  // namespace blendwire::system

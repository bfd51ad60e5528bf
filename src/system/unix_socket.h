// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_UNIX_SOCKET_H_
#define BLENDWIRE_SYSTEM_UNIX_SOCKET_H_

#include <filesystem>

namespace blendwire::system {

// Whether a server can listen on unix sockets here, and a client reach them.
bool HaveUnixSockets();

// Whether a program listens on this unix socket now. False for a socket whose program has ended,
// and where there is no socket at all.
bool IsSocketInUse(const std::filesystem::path& path);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_UNIX_SOCKET_H_

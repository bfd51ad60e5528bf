// SPDX-License-Identifier: Apache-2.0

#include "system/unix_socket.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace blendwire::system {

bool HaveUnixSockets() { return true; }

bool IsSocketInUse(const std::filesystem::path& path) {
  struct sockaddr_un address = {};
  if (path.native().size() >= sizeof(address.sun_path)) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  if (descriptor < 0) return false;
  // Not to wait for a program that does not accept: EAGAIN says that its line is full.
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
  const bool in_use = connect(descriptor, reinterpret_cast<const struct sockaddr*>(&address),
                              sizeof(address)) == 0 ||
                      errno == EAGAIN;
  close(descriptor);
  return in_use;
}

}  // namespace blendwire::system

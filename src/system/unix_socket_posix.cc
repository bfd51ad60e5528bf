// SPDX-License-Identifier: Apache-2.0

#include "system/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace blendwire::system {

bool IsSocketInUse(const std::filesystem::path& path) {
  struct sockaddr_un address = {};
  if (path.native().size() >= sizeof(address.sun_path)) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.native().size());
  const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
  if (descriptor < 0) return false;
  const int result =
      connect(descriptor, reinterpret_cast<const struct sockaddr*>(&address), sizeof(address));
  close(descriptor);
  return result == 0;
}

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_RANDOM_BYTES_H_
#define BLENDWIRE_SYSTEM_RANDOM_BYTES_H_

#include <cstddef>
#include <random>
#include <string>

namespace blendwire::system {

// From the system's own source: nobody can guess the next from those before.
inline std::string RandomBytes(size_t count) {
  std::random_device source;
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(source() & 0xffu);
  return bytes;
}

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_RANDOM_BYTES_H_

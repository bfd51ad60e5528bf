// SPDX-License-Identifier: Apache-2.0
//
// glTF's binary data is little-endian, and so is every machine that Blendwire is built for.

#ifndef BLENDWIRE_AVATAR_INTERNAL_LITTLE_ENDIAN_H_
#define BLENDWIRE_AVATAR_INTERNAL_LITTLE_ENDIAN_H_

#include <bit>
#include <cstring>
#include <string>

namespace blendwire::avatar {

static_assert(std::endian::native == std::endian::little);

template <typename T>
T LoadLittle(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <typename T>
void AppendLittle(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_LITTLE_ENDIAN_H_

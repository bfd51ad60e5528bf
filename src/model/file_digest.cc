// SPDX-License-Identifier: Apache-2.0

#include "model/file_digest.h"

#include <openssl/sha.h>

#include <array>

#include "absl/strings/escaping.h"

namespace blendwire::model {

std::string Sha256Hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

}  // namespace blendwire::model

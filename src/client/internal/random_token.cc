// SPDX-License-Identifier: Apache-2.0

#include "client/internal/random_token.h"

#include <cstdint>
#include <random>

#include "absl/strings/str_cat.h"

namespace blendwire::client {

std::string RandomToken() {
  std::random_device source;
  std::string token;
  for (int i = 0; i < 8; ++i) {
    absl::StrAppend(&token, absl::Hex(static_cast<uint32_t>(source()), absl::kZeroPad8));
  }
  return token;
}

}  // namespace blendwire::client

// SPDX-License-Identifier: Apache-2.0

#include "client/internal/random_token.h"

#include "absl/strings/escaping.h"
#include "system/random_bytes.h"

namespace blendwire::client {

std::string RandomToken() { return absl::BytesToHexString(system::RandomBytes(32)); }

}  // namespace blendwire::client

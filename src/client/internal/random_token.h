// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_RANDOM_TOKEN_H_
#define BLENDWIRE_CLIENT_INTERNAL_RANDOM_TOKEN_H_

#include <string>

namespace blendwire::client {

// 256 random bits as 64 hexadecimal digits, from the system's own source for secrets (which is what
// std::random_device reads in libstdc++, libc++ and Microsoft's library).
std::string RandomToken();

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_RANDOM_TOKEN_H_

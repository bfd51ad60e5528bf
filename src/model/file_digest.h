// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MODEL_FILE_DIGEST_H_
#define BLENDWIRE_MODEL_FILE_DIGEST_H_

#include <string>
#include <string_view>

namespace blendwire::model {

// SHA-256 of `bytes`, 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view bytes);

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_FILE_DIGEST_H_

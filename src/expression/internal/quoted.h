// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_EXPRESSION_INTERNAL_QUOTED_H_
#define BLENDWIRE_EXPRESSION_INTERNAL_QUOTED_H_

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace blendwire::expression::internal {

// No name that means anything is longer, in bytes.
inline constexpr size_t kLongestName = 64;

// A caller's name for an error message: in quotes, control characters escaped, what is longer than
// kLongestName cut off between two UTF-8 characters.
std::string Quoted(absl::string_view name);

}  // namespace blendwire::expression::internal

#endif  // BLENDWIRE_EXPRESSION_INTERNAL_QUOTED_H_

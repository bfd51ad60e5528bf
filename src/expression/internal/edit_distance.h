// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_EXPRESSION_INTERNAL_EDIT_DISTANCE_H_
#define BLENDWIRE_EXPRESSION_INTERNAL_EDIT_DISTANCE_H_

#include <cstddef>

#include "absl/strings/string_view.h"

namespace blendwire::expression::internal {

// The fewest slips that make one of the other: a byte too many, one missing, one wrong, or two
// neighbours swapped (optimal string alignment). Takes time proportional to the product of the
// sizes.
size_t EditDistance(absl::string_view a, absl::string_view b);

}  // namespace blendwire::expression::internal

#endif  // BLENDWIRE_EXPRESSION_INTERNAL_EDIT_DISTANCE_H_

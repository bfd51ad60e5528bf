// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_CONDITION_ROWS_H_
#define BLENDWIRE_PREDICT_CONDITION_ROWS_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"

namespace blendwire::predict {

// The conditions of one run of a model, [count,K]: those of the expressions that are wanted, then
// their mirror images as far as they are not among them. An expression that treats left and right
// alike is its own mirror image.
struct ConditionRows {
  std::vector<float> values;
  size_t count = 0;
  // For each expression that is wanted the row of its mirror image; none without mirroring.
  std::vector<size_t> mirrored;
};

// `conditions` are [K] each. `mirrored_slots` says for each slot which one it becomes when left and
// right are exchanged; empty: mirror images are not wanted.
ConditionRows RowsOf(absl::Span<const absl::Span<const float>> conditions,
                     absl::Span<const size_t> mirrored_slots);

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_CONDITION_ROWS_H_

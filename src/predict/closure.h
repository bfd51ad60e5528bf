// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_CLOSURE_H_
#define BLENDWIRE_PREDICT_CLOSURE_H_

#include "absl/types/span.h"
#include "contact/contact.h"
#include "model/metadata.h"

namespace blendwire::predict {

// How far an expression closes lids and lips: the sum of what its slots say at full weight, times
// their weights, at most 1. `shares` is [K] like the condition, or empty: nothing is closed. If
// slots differ in what the model's own field must do before lids are closed, the least is asked
// for.
contact::Closure ClosureOf(absl::Span<const float> condition,
                           absl::Span<const model::ContactShare> shares);

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_CLOSURE_H_

// SPDX-License-Identifier: Apache-2.0
//
// From what a caller asks for to the vector that a model takes.
//
//   std::vector<float> condition(layout.size());
//   absl::Status status = EncodeCondition({.kind = Kind::kViseme, .name = "aa"}, layout,
//                                         absl::MakeSpan(condition));

#ifndef BLENDWIRE_EXPRESSION_CONDITION_H_
#define BLENDWIRE_EXPRESSION_CONDITION_H_

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "expression/slot_layout.h"
#include "expression/table.h"

namespace blendwire::expression {

inline constexpr size_t kMaxParameters = 256;
inline constexpr float kMaxFeature = 10.0f;

// The contract's ExpressionCondition.
struct ConditionSpec {
  Kind kind = Kind::kViseme;
  absl::string_view name = {};
  float intensity = 1.0f;                                      // 0 to 1
  absl::Span<const float> features = {};                       // kCustom only: the raw vector
  std::vector<std::pair<std::string, float>> parameters = {};  // name, weight (0 to 1)
};

// Fills `out`, which has layout.size() elements.
//
// VISEME, EMOTION: `name` is an expression of that kind (any spelling the table knows), or what
// follows `viseme_` / `emotion_` in the name of a slot of the model's own. It sets its own slot to
// the intensity if the layout has one, else the units of its recipe, times the intensity; units
// that the layout lacks are left out. `parameters` come on top, `features` must be empty.
//
// CUSTOM: either `parameters`, or `features`, or a `name` that is a unit, a viseme, an emotion or a
// slot of the model's own. With features or parameters the name is free text.
//   - parameters: weights of anything that a name can be, times the intensity. Weights of one slot
//     add up, to 1 at most.
//   - features: layout.size() values are taken as they are, whatever the intensity; kStandardSize
//     values in the standard layout are also taken by a model that names its own slots (their
//     units; the rest has no meaning there). Each finite and within ±kMaxFeature.
//
// In the standard layout exactly one of the three flags is 1, except for features, and the
// intensity stands in its place.
//
// INVALID_ARGUMENT, naming the field, the value and what would be right: intensity or a weight
// outside 0 to 1, an unknown name, something that the layout has no slot for, too many parameters,
// a wrong number of features, features together with parameters or with a viseme or emotion, a
// CUSTOM condition that says nothing. `out` is then undefined.
absl::Status EncodeCondition(const ConditionSpec& spec, const SlotLayout& layout,
                             absl::Span<float> out);

}  // namespace blendwire::expression

#endif  // BLENDWIRE_EXPRESSION_CONDITION_H_

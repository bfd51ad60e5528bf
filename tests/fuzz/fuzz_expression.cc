// SPDX-License-Identifier: Apache-2.0
//
// Conditions as a caller may ask for them, over the standard layout and over slots that a model names.

#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "check.h"
#include "expression/condition.h"
#include "expression/slot_layout.h"
#include "expression/table.h"
#include "input.h"

namespace blendwire {
namespace {

// A known name, a known one with a slip, or anything.
std::string TakeName(fuzz::Input& input) {
  const auto expressions = expression::Table::Get().expressions();
  const uint8_t how = input.Take<uint8_t>() % 4;
  if (how == 0) return input.TakeText(64);
  std::string name = expressions[input.TakeBelow(expressions.size())].name;
  if (how == 1 && !name.empty()) name[input.TakeBelow(name.size())] = input.Take<char>();
  return name;
}

expression::SlotLayout TakeLayout(fuzz::Input& input) {
  std::vector<std::string> names(input.TakeBelow(12));
  for (std::string& name : names) {
    static constexpr const char* kPrefixes[] = {"", "viseme_", "emotion_"};
    name = kPrefixes[input.TakeBelow(3)] + TakeName(input);
  }
  auto layout = expression::SlotLayout::FromNames(names);
  return layout.ok() ? *std::move(layout) : expression::SlotLayout::Standard();
}

}  // namespace
}  // namespace blendwire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  fuzz::Input input(data, size);
  const expression::SlotLayout layout = TakeLayout(input);
  BLENDWIRE_FUZZ_CHECK(!expression::SupportedExpressions(layout).empty());
  for (int i = 0; i < 3 && input.left() > 0; ++i) {
    const std::string name = TakeName(input);
    const std::vector<float> features = input.TakeFloats(
        input.TakeBool() ? 0 : input.TakeBool() ? layout.size() : input.TakeBelow(80));
    expression::ConditionSpec spec;
    spec.kind = static_cast<expression::Kind>(input.TakeBelow(3));
    spec.name = name;
    spec.intensity = input.TakeFloat();
    spec.features = features;
    for (size_t k = input.TakeBool() ? input.TakeBelow(6) : 0; k > 0; --k) {
      std::string parameter = TakeName(input);
      spec.parameters.emplace_back(std::move(parameter), input.TakeFloat());
    }
    std::vector<float> condition(layout.size());
    if (!expression::EncodeCondition(spec, layout, absl::MakeSpan(condition)).ok()) continue;
    for (const float value : condition) {
      BLENDWIRE_FUZZ_CHECK(std::isfinite(value) && std::abs(value) <= expression::kMaxFeature);
      BLENDWIRE_FUZZ_CHECK(!features.empty() || (value >= 0.0f && value <= 1.0f));
    }
  }
  return 0;
}

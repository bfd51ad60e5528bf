// SPDX-License-Identifier: Apache-2.0

#include "expression/condition.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "expression/internal/quoted.h"
#include "expression/slot_layout.h"
#include "expression/table.h"

namespace blendwire::expression {
namespace {

using internal::Quoted;

// What a name stands for: an expression of the table, or else a slot of the model's own.
struct Target {
  const Expression* expression = nullptr;
  size_t slot = 0;
};

bool IsFraction(float value) { return value >= 0.0f && value <= 1.0f; }  // false for NaN

absl::StatusOr<Target> FindTarget(const ConditionSpec& spec, const SlotLayout& layout) {
  auto resolved = Table::Get().Resolve(spec.kind, spec.name);
  if (resolved.ok()) return Target{.expression = *resolved};
  const std::string slot_name = spec.kind == Kind::kCustom
                                    ? std::string(spec.name)
                                    : absl::StrCat(KindName(spec.kind), "_", spec.name);
  if (const auto slot = layout.SlotNamed(slot_name)) return Target{.slot = *slot};
  return resolved.status();
}

absl::StatusOr<Target> FindParameter(absl::string_view name, const SlotLayout& layout) {
  if (const Expression* expression = Table::Get().FindAny(name)) {
    return Target{.expression = expression};
  }
  if (const auto slot = layout.SlotNamed(name)) return Target{.slot = *slot};
  std::string message = absl::StrCat("condition.parameters names ", Quoted(name),
                                     ", which is no ARKit unit, viseme or emotion");
  const std::string nearest = Table::Get().Nearest(Kind::kCustom, name);
  if (!nearest.empty()) absl::StrAppend(&message, "; did you mean \"", nearest, "\"?");
  return absl::InvalidArgumentError(message);
}

// Adds `weight` of a target to its slots. `field` says in an error where the name came from.
absl::Status AddTarget(const Target& target, float weight, absl::string_view field,
                       const SlotLayout& layout, absl::Span<float> out) {
  if (target.expression == nullptr) {
    out[target.slot] += weight;
    return absl::OkStatus();
  }
  const Expression& expression = *target.expression;
  if (!layout.CanMake(expression)) {
    return absl::InvalidArgumentError(absl::StrCat(
        field, " ", Quoted(expression.name), ", which this model cannot make: it has no slot for ",
        expression.kind == Kind::kCustom ? "it" : "it or for a unit of its recipe"));
  }
  if (const auto slot = layout.SlotOf(expression)) {
    out[*slot] += weight;
    return absl::OkStatus();
  }
  for (const UnitWeight& part : expression.recipe) {
    if (const auto slot = layout.SlotOfUnit(part.unit)) out[*slot] += weight * part.weight;
  }
  return absl::OkStatus();
}

absl::Status AddParameters(const ConditionSpec& spec, const SlotLayout& layout,
                           absl::Span<float> out) {
  if (spec.parameters.size() > kMaxParameters) {
    return absl::InvalidArgumentError(absl::StrCat("condition.parameters has ",
                                                   spec.parameters.size(),
                                                   " entries, but may have ", kMaxParameters));
  }
  for (const auto& [name, weight] : spec.parameters) {
    if (!IsFraction(weight)) {
      return absl::InvalidArgumentError(absl::StrCat("condition.parameters[", Quoted(name), "] is ",
                                                     weight, ", but must be 0 to 1"));
    }
    const auto target = FindParameter(name, layout);
    if (!target.ok()) return target.status();
    if (auto s = AddTarget(*target, weight, "condition.parameters names", layout, out); !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFeatures(absl::Span<const float> features, const SlotLayout& layout) {
  if (features.size() != layout.size() && features.size() != kStandardSize) {
    return absl::InvalidArgumentError(absl::StrCat(
        "condition.features has ", features.size(), " values, but must have ",
        layout.is_standard() ? ""
                             : absl::StrCat(layout.size(), " (one for each slot of the model) or "),
        kStandardSize, " (the standard layout)"));
  }
  for (size_t i = 0; i < features.size(); ++i) {
    if (std::abs(features[i]) <= kMaxFeature) continue;  // false for NaN
    return absl::InvalidArgumentError(absl::StrCat("condition.features[", i, "] is ", features[i],
                                                   ", but must be -", kMaxFeature, " to ",
                                                   kMaxFeature));
  }
  return absl::OkStatus();
}

absl::Status EncodeFeatures(absl::Span<const float> features, const SlotLayout& layout,
                            absl::Span<float> out) {
  if (auto s = CheckFeatures(features, layout); !s.ok()) return s;
  if (features.size() == layout.size()) {
    std::copy(features.begin(), features.end(), out.begin());
    return absl::OkStatus();
  }
  bool wanted = false;
  bool made = false;
  for (size_t unit = 0; unit < Table::Get().units().size(); ++unit) {
    const float value = features[kStandardUnits + unit];
    if (value == 0.0f) continue;
    wanted = true;
    if (const auto slot = layout.SlotOfUnit(unit)) {
      out[*slot] = value;
      made = true;
    }
  }
  if (wanted && !made) {
    return absl::InvalidArgumentError(
        "condition.features in the standard layout sets units only that this model has no slots "
        "for");
  }
  return absl::OkStatus();
}

// What can be wrong with the combination of fields, whatever their values.
absl::Status CheckFields(const ConditionSpec& spec) {
  if (!IsFraction(spec.intensity)) {
    return absl::InvalidArgumentError(
        absl::StrCat("condition.intensity is ", spec.intensity, ", but must be 0 to 1"));
  }
  if (spec.kind != Kind::kCustom) {
    if (spec.features.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("condition.features has ", spec.features.size(),
                     " values, but must be empty unless condition.type is CUSTOM"));
  }
  if (!spec.features.empty() && !spec.parameters.empty()) {
    return absl::InvalidArgumentError(
        "condition.features and condition.parameters are both set, but a CUSTOM condition takes "
        "one "
        "of them");
  }
  if (spec.features.empty() && spec.parameters.empty() && spec.name.empty()) {
    return absl::InvalidArgumentError(
        "condition.type is CUSTOM, but name, parameters and features are all empty; one is needed");
  }
  return absl::OkStatus();
}

size_t FlagOf(Kind kind) {
  switch (kind) {
    case Kind::kViseme:
      return kStandardViseme;
    case Kind::kEmotion:
      return kStandardEmotion;
    case Kind::kCustom:
      break;
  }
  return kStandardCustom;
}

}  // namespace

absl::Status EncodeCondition(const ConditionSpec& spec, const SlotLayout& layout,
                             absl::Span<float> out) {
  if (out.size() != layout.size()) {
    return absl::InternalError(absl::StrCat("the condition has room for ", out.size(),
                                            " values, but the layout has ", layout.size()));
  }
  if (auto s = CheckFields(spec); !s.ok()) return s;
  std::fill(out.begin(), out.end(), 0.0f);
  if (!spec.features.empty()) return EncodeFeatures(spec.features, layout, out);

  // The name of a CUSTOM condition with parameters is free text.
  if (spec.kind != Kind::kCustom || spec.parameters.empty()) {
    const auto target = FindTarget(spec, layout);
    if (!target.ok()) return target.status();
    if (auto s = AddTarget(*target, 1.0f, "condition.name is", layout, out); !s.ok()) return s;
  }
  if (auto s = AddParameters(spec, layout, out); !s.ok()) return s;
  for (float& value : out) value = std::min(value, 1.0f) * spec.intensity;

  if (layout.is_standard()) {
    out[FlagOf(spec.kind)] = 1.0f;
    out[kStandardIntensity] = spec.intensity;
  }
  return absl::OkStatus();
}

}  // namespace blendwire::expression

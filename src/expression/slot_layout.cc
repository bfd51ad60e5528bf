// SPDX-License-Identifier: Apache-2.0

#include "expression/slot_layout.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "expression/internal/quoted.h"
#include "expression/table.h"

namespace blendwire::expression {
namespace {

constexpr size_t kMaxSlots = 4096;

size_t IndexOf(const Expression& expression) {
  return static_cast<size_t>(&expression - Table::Get().expressions().data());
}

const Expression* ExpressionOfSlot(absl::string_view slot) {
  absl::string_view name = slot;
  if (absl::ConsumePrefix(&name, "viseme_")) return Table::Get().Find(Kind::kViseme, name);
  if (absl::ConsumePrefix(&name, "emotion_")) return Table::Get().Find(Kind::kEmotion, name);
  return Table::Get().FindAny(slot);
}

}  // namespace

SlotLayout SlotLayout::Standard() {
  const Table& table = Table::Get();
  SlotLayout layout;
  layout.standard_ = true;
  layout.names_ = {"viseme", "emotion", "intensity", "custom"};
  layout.names_.insert(layout.names_.end(), table.units().begin(), table.units().end());
  for (size_t i = 0; i < kStandardSize - kStandardFree; ++i) {
    layout.names_.push_back(absl::StrCat("free", i));
  }
  layout.slots_.resize(table.expressions().size());
  for (const Expression& expression : table.expressions()) {
    if (expression.kind != Kind::kCustom) continue;
    layout.slots_[IndexOf(expression)] = kStandardUnits + expression.recipe.front().unit;
  }
  return layout;
}

absl::StatusOr<SlotLayout> SlotLayout::FromNames(std::vector<std::string> names) {
  if (names.empty() || names.size() > kMaxSlots) {
    return absl::InvalidArgumentError(absl::StrCat("condition slots: there are ", names.size(),
                                                   ", but must be 1 to ", kMaxSlots));
  }
  SlotLayout layout;
  layout.slots_.resize(Table::Get().expressions().size());
  const auto same = [&names](size_t a, size_t b) {
    return absl::InvalidArgumentError(absl::StrCat("condition slots ", a, " (",
                                                   internal::Quoted(names[a]), ") and ", b, " (",
                                                   internal::Quoted(names[b]), ") mean the same"));
  };
  for (size_t slot = 0; slot < names.size(); ++slot) {
    if (names[slot].empty()) {
      return absl::InvalidArgumentError(absl::StrCat("condition slot ", slot, " has no name"));
    }
    const auto [named, is_new] = layout.by_name_.try_emplace(names[slot], slot);
    if (!is_new) return same(named->second, slot);
    const Expression* expression = ExpressionOfSlot(names[slot]);
    if (expression == nullptr) continue;
    std::optional<size_t>& place = layout.slots_[IndexOf(*expression)];
    if (place) return same(*place, slot);
    place = slot;
  }
  layout.names_ = std::move(names);
  return layout;
}

std::optional<size_t> SlotLayout::SlotOf(const Expression& expression) const {
  return slots_[IndexOf(expression)];
}

std::optional<size_t> SlotLayout::SlotNamed(absl::string_view name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return std::nullopt;
  return found->second;
}

std::optional<size_t> SlotLayout::SlotOfUnit(size_t unit) const {
  // The units are the table's last expressions.
  return slots_[slots_.size() - Table::Get().units().size() + unit];
}

bool SlotLayout::CanMake(const Expression& expression) const {
  if (SlotOf(expression) || expression.recipe.empty()) return true;
  return std::any_of(
      expression.recipe.begin(), expression.recipe.end(),
      [this](const UnitWeight& weight) { return SlotOfUnit(weight.unit).has_value(); });
}

std::vector<std::string> SupportedExpressions(const SlotLayout& layout) {
  std::vector<std::string> supported;
  for (const Expression& expression : Table::Get().expressions()) {
    if (layout.CanMake(expression)) supported.push_back(expression.name);
  }
  if (layout.is_standard()) return supported;
  for (const std::string& name : layout.names()) {
    if (ExpressionOfSlot(name) == nullptr) supported.push_back(name);
  }
  return supported;
}

}  // namespace blendwire::expression

// SPDX-License-Identifier: Apache-2.0

#include "expression/table.h"

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "expression/internal/edit_distance.h"
#include "expression/internal/quoted.h"
#include "nlohmann/json.hpp"

namespace blendwire::expression {

namespace internal {
// expressions.json, from the source that the build makes of it.
extern const char kExpressionsJson[];
extern const size_t kExpressionsJsonSize;
}  // namespace internal

namespace {

using internal::Quoted;

// "a viseme", "an emotion", "an ARKit unit".
absl::string_view WithArticle(Kind kind) {
  switch (kind) {
    case Kind::kViseme:
      return "a viseme";
    case Kind::kEmotion:
      return "an emotion";
    case Kind::kCustom:
      break;
  }
  return "an ARKit unit";
}

// Weights of units, by names that may leave out the side.
absl::StatusOr<std::vector<UnitWeight>> ReadRecipe(const nlohmann::json& json,
                                                   const std::vector<std::string>& units) {
  std::vector<UnitWeight> recipe;
  for (const auto& [name, json_weight] : json.items()) {
    const float weight = json_weight.get<float>();
    if (!(weight > 0.0f && weight <= 1.0f)) {
      return absl::InvalidArgumentError(absl::StrCat("the weight of ", name, " is ", weight));
    }
    const size_t before = recipe.size();
    for (const absl::string_view side : {"", "Left", "Right"}) {
      const auto unit = std::find(units.begin(), units.end(), absl::StrCat(name, side));
      if (unit == units.end()) continue;
      recipe.push_back({static_cast<size_t>(unit - units.begin()), weight});
    }
    if (recipe.size() == before) {
      return absl::InvalidArgumentError(absl::StrCat("there is no unit ", name));
    }
  }
  return recipe;
}

absl::StatusOr<Expression> ReadExpression(Kind kind, const nlohmann::json& json,
                                          const std::vector<std::string>& units) {
  Expression expression;
  expression.kind = kind;
  expression.name = json.at("name").get<std::string>();
  expression.description = json.at("description").get<std::string>();
  expression.names = json.value("names", std::map<std::string, std::string>());
  expression.aliases = json.value("aliases", std::vector<std::string>());
  if (kind == Kind::kCustom) {
    const auto unit = std::find(units.begin(), units.end(), expression.name);
    expression.recipe = {{static_cast<size_t>(unit - units.begin()), 1.0f}};
    return expression;
  }
  auto recipe = ReadRecipe(json.at("recipe"), units);
  if (!recipe.ok()) {
    return absl::InvalidArgumentError(
        absl::StrCat("recipe of ", expression.name, ": ", recipe.status().message()));
  }
  expression.recipe = *std::move(recipe);
  return expression;
}

std::vector<std::string> AllSpellings(const Expression& expression) {
  std::vector<std::string> spellings = {expression.name};
  for (const auto& [convention, name] : expression.names) spellings.push_back(name);
  spellings.insert(spellings.end(), expression.aliases.begin(), expression.aliases.end());
  return spellings;
}

}  // namespace

absl::string_view KindName(Kind kind) {
  switch (kind) {
    case Kind::kViseme:
      return "viseme";
    case Kind::kEmotion:
      return "emotion";
    case Kind::kCustom:
      break;
  }
  return "unit";
}

const Table& Table::Get() {
  static const Table* const table = [] {
    auto parsed = Parse({internal::kExpressionsJson, internal::kExpressionsJsonSize});
    if (!parsed.ok()) {  // the build is broken: nothing can be predicted
      std::fprintf(stderr, "expressions.json: %s\n", parsed.status().ToString().c_str());
      std::abort();
    }
    return new Table(*std::move(parsed));
  }();
  return *table;
}

absl::StatusOr<Table> Table::Parse(absl::string_view json) {
  Table table;
  try {
    const nlohmann::json root = nlohmann::json::parse(json.begin(), json.end());
    for (const auto& unit : root.at("units")) {
      table.units_.push_back(unit.at("name").get<std::string>());
    }
    const std::pair<const char*, Kind> sections[] = {
        {"visemes", Kind::kViseme}, {"emotions", Kind::kEmotion}, {"units", Kind::kCustom}};
    for (const auto& [section, kind] : sections) {
      for (const auto& entry : root.at(section)) {
        auto expression = ReadExpression(kind, entry, table.units_);
        if (!expression.ok()) return expression.status();
        if (auto status = table.Add(*std::move(expression)); !status.ok()) return status;
      }
    }
  } catch (const nlohmann::json::exception& error) {
    return absl::InvalidArgumentError(error.what());
  }
  return table;
}

absl::Status Table::Add(Expression expression) {
  const size_t index = expressions_.size();
  expressions_.push_back(std::move(expression));
  for (const std::string& spelling : AllSpellings(expressions_.back())) {
    if (auto status = AddSpelling(index, spelling); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Table::AddSpelling(size_t expression, const std::string& spelling) {
  Spellings& spellings = spellings_[static_cast<size_t>(expressions_[expression].kind)];
  const auto [exact, is_new] = spellings.exact.try_emplace(spelling, expression);
  if (exact->second != expression) {
    return absl::InvalidArgumentError(absl::StrCat(Quoted(spelling), " means both ",
                                                   expressions_[exact->second].name, " and ",
                                                   expressions_[expression].name));
  }
  const auto [folded, is_first] =
      spellings.folded.try_emplace(absl::AsciiStrToLower(spelling), expression);
  if (folded->second != expression) folded->second = std::nullopt;
  return absl::OkStatus();
}

const Expression* Table::Find(Kind kind, absl::string_view name) const {
  if (name.size() > internal::kLongestName) return nullptr;
  const Spellings& spellings = spellings_[static_cast<size_t>(kind)];
  if (const auto exact = spellings.exact.find(name); exact != spellings.exact.end()) {
    return &expressions_[exact->second];
  }
  const auto folded = spellings.folded.find(absl::AsciiStrToLower(name));
  if (folded == spellings.folded.end() || !folded->second) return nullptr;
  return &expressions_[*folded->second];
}

const Expression* Table::FindAny(absl::string_view name) const {
  for (const Kind kind : {Kind::kCustom, Kind::kViseme, Kind::kEmotion}) {
    if (const Expression* found = Find(kind, name)) return found;
  }
  return nullptr;
}

absl::StatusOr<const Expression*> Table::Resolve(Kind kind, absl::string_view name) const {
  const bool any_kind = kind == Kind::kCustom;
  if (const Expression* found = any_kind ? FindAny(name) : Find(kind, name)) return found;

  const std::string list =
      any_kind ? "" : absl::StrCat("he ", KindName(kind), "s are: ", NameList(kind));
  std::string message =
      name.empty() ? "condition.name is empty" : absl::StrCat("condition.name is ", Quoted(name));
  const Expression* other = name.empty() ? nullptr : FindAny(name);
  const std::string nearest = name.empty() || other ? "" : Nearest(kind, name);
  if (other != nullptr) {
    absl::StrAppend(&message, ", which is ", WithArticle(other->kind), ", not ", WithArticle(kind));
  } else if (!name.empty()) {
    absl::StrAppend(&message, ", which is no ",
                    any_kind ? "ARKit unit, viseme or emotion" : KindName(kind));
  }
  if (!nearest.empty()) absl::StrAppend(&message, "; did you mean \"", nearest, "\"?");
  if (!list.empty()) absl::StrAppend(&message, nearest.empty() ? "; t" : " T", list);
  return absl::InvalidArgumentError(message);
}

std::string Table::Nearest(Kind kind, absl::string_view name) const {
  if (name.empty() || name.size() > internal::kLongestName) return "";
  const std::string folded = absl::AsciiStrToLower(name);
  std::string nearest;
  size_t least = 0;
  for (const Expression& expression : expressions_) {
    if (kind != Kind::kCustom && expression.kind != kind) continue;
    for (const std::string& spelling : AllSpellings(expression)) {
      const size_t distance = internal::EditDistance(folded, absl::AsciiStrToLower(spelling));
      // Beyond a third of its letters it is another word.
      if (3 * distance > std::max(name.size(), spelling.size())) continue;
      if (!nearest.empty() && distance >= least) continue;
      nearest = spelling;
      least = distance;
    }
  }
  return nearest;
}

std::string Table::NameList(Kind kind) const {
  std::vector<absl::string_view> names;
  for (const Expression& expression : expressions_) {
    if (expression.kind == kind) names.emplace_back(expression.name);
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace blendwire::expression

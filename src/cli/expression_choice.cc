// SPDX-License-Identifier: Apache-2.0

#include "cli/expression_choice.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace blendwire::cli {
namespace {

using expression::Expression;
using expression::Kind;
using expression::Table;

constexpr const char* kConventions[] = {"vrchat", "vrm", "vrm0", "vrm1", "arkit", "oculus"};

absl::StatusOr<const Expression*> FindIn(const std::vector<Kind>& kinds, const std::string& name) {
  for (const Kind kind : kinds) {
    if (const Expression* found = Table::Get().Find(kind, name); found != nullptr) return found;
  }
  std::string nearest;
  for (const Kind kind : kinds) {
    if (nearest.empty()) nearest = Table::Get().Nearest(kind, name);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no expression \"", name, "\" in the chosen sets",
                   nearest.empty() ? "" : absl::StrCat("; did you mean \"", nearest, "\"?"),
                   "; blendwire expressions lists them"));
}

}  // namespace

absl::StatusOr<Kind> KindOfSet(const std::string& set) {
  if (set == "visemes") return Kind::kViseme;
  if (set == "emotions") return Kind::kEmotion;
  if (set == "arkit") return Kind::kCustom;
  return absl::InvalidArgumentError(
      absl::StrCat("there is no set \"", set, "\", only visemes, emotions and arkit"));
}

absl::StatusOr<std::vector<const Expression*>> ChooseExpressions(
    const std::vector<std::string>& sets, const std::vector<std::string>& only) {
  std::vector<Kind> kinds;
  for (const std::string& set : sets) {
    const absl::StatusOr<Kind> kind = KindOfSet(set);
    if (!kind.ok()) return kind.status();
    kinds.push_back(*kind);
  }
  if (kinds.empty()) kinds = {Kind::kViseme, Kind::kEmotion};
  if (kinds.size() == 2 && sets.empty() && !only.empty()) kinds.push_back(Kind::kCustom);
  std::vector<const Expression*> chosen;
  for (const std::string& name : only) {
    const absl::StatusOr<const Expression*> found = FindIn(kinds, name);
    if (!found.ok()) return found.status();
    if (std::find(chosen.begin(), chosen.end(), *found) == chosen.end()) chosen.push_back(*found);
  }
  if (!only.empty()) return chosen;
  for (const Expression& expression : Table::Get().expressions()) {
    const bool wanted = std::find(kinds.begin(), kinds.end(), expression.kind) != kinds.end();
    if (wanted) chosen.push_back(&expression);
  }
  return chosen;
}

absl::StatusOr<std::vector<ChosenExpression>> NameTargets(
    const std::vector<const Expression*>& expressions, const std::string& convention,
    avatar::Format format) {
  const auto* known = std::find(std::begin(kConventions), std::end(kConventions), convention);
  if (known == std::end(kConventions)) {
    return absl::InvalidArgumentError(absl::StrCat("there is no naming convention \"", convention,
                                                   "\", only ", absl::StrJoin(kConventions, ", ")));
  }
  std::string key = convention;
  if (convention == "vrm") key = format == avatar::Format::kVrm0 ? "vrm0" : "vrm1";
  std::vector<ChosenExpression> named;
  absl::flat_hash_map<std::string, const Expression*> taken;
  for (const Expression* expression : expressions) {
    const auto it = expression->names.find(key);
    std::string name = it == expression->names.end() ? expression->name : it->second;
    const auto [other, is_new] = taken.emplace(name, expression);
    if (!is_new) {
      return absl::InvalidArgumentError(
          absl::StrCat("the expressions ", other->second->name, " and ", expression->name,
                       " would both get the name \"", name, "\"; choose another --names"));
    }
    named.push_back({expression, std::move(name)});
  }
  return named;
}

ExpressionKind ToClient(expression::Kind kind) {
  switch (kind) {
    case expression::Kind::kViseme:
      return ExpressionKind::kViseme;
    case expression::Kind::kEmotion:
      return ExpressionKind::kEmotion;
    case expression::Kind::kCustom:
      break;
  }
  return ExpressionKind::kCustom;
}

}  // namespace blendwire::cli

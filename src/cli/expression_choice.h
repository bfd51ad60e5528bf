// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_EXPRESSION_CHOICE_H_
#define BLENDWIRE_CLI_EXPRESSION_CHOICE_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "avatar/avatar.h"
#include "client/types.h"
#include "expression/table.h"

namespace blendwire::cli {

struct ChosenExpression {
  const expression::Expression* expression = nullptr;
  std::string target_name;  // the morph target's
};

// The kind that a set's name means: "visemes", "emotions", "arkit".
absl::StatusOr<expression::Kind> KindOfSet(const std::string& set);

// What `sets` hold (none: visemes and emotions), each once and in the table's order; of that only
// what `only` names, in its order, if it names anything. With `only` and no `sets`, all sets count.
absl::StatusOr<std::vector<const expression::Expression*>> ChooseExpressions(
    const std::vector<std::string>& sets, const std::vector<std::string>& only);

// Gives each its morph target's name by a convention: "vrchat", "oculus", "arkit", "vrm0", "vrm1",
// or "vrm" for what suits `format`. An expression that the convention has no name for keeps the
// table's own. INVALID_ARGUMENT if two would have the same name, or there is no such convention.
absl::StatusOr<std::vector<ChosenExpression>> NameTargets(
    const std::vector<const expression::Expression*>& expressions, const std::string& convention,
    avatar::Format format);

// The client's name for a kind of the expression table.
ExpressionKind ToClient(expression::Kind kind);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_EXPRESSION_CHOICE_H_

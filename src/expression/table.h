// SPDX-License-Identifier: Apache-2.0
//
// Every expression Blendwire knows by name: the 15 visemes, the emotions and the 52 ARKit units.
// They are data (expressions.json, part of the library), not code.

#ifndef BLENDWIRE_EXPRESSION_TABLE_H_
#define BLENDWIRE_EXPRESSION_TABLE_H_

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace blendwire::expression {

// As in the contract's ExpressionCondition. In the table, kCustom marks the ARKit units.
enum class Kind { kViseme, kEmotion, kCustom };

// "viseme", "emotion", "unit".
absl::string_view KindName(Kind kind);

struct UnitWeight {
  size_t unit = 0;  // index into Table::units()
  float weight = 0.0f;
};

struct Expression {
  Kind kind = Kind::kViseme;
  std::string name;         // canonical: "aa", "Joy", "jawOpen"
  std::string description;  // one line for people
  std::vector<std::string> aliases;
  // What a convention calls it: {"vrchat", "vrc.v_aa"}, {"vrm1", "aa"}. Conventions: arkit, oculus,
  // vrchat, vrm0, vrm1; one that has no such expression is missing.
  std::map<std::string, std::string> names;
  // The expression made of ARKit units, for models that have no slot of its own for it; a unit's
  // recipe is itself. Empty for the faces at rest, sil and Neutral.
  std::vector<UnitWeight> recipe;
};

// Immutable, so safe for use from several threads at once.
class Table {
 public:
  static const Table& Get();

  // Visemes, emotions, units, each in its usual order. Their addresses stay valid for good.
  absl::Span<const Expression> expressions() const { return expressions_; }

  // The 52 ARKit units in their usual order.
  absl::Span<const std::string> units() const { return units_; }

  // The expression of that kind with that name, alias or convention's name; null if there is none.
  // Case counts only where spellings that differ in nothing else mean different expressions.
  const Expression* Find(Kind kind, absl::string_view name) const;

  // Of any kind: units first, then visemes, then emotions.
  const Expression* FindAny(absl::string_view name) const;

  // As Find (for kCustom, which may name anything: as FindAny), but says what is wrong with the
  // name: INVALID_ARGUMENT, `condition.name is "aaa", which is no viseme; did you mean "aa"? …`.
  absl::StatusOr<const Expression*> Resolve(Kind kind, absl::string_view name) const;

  // The known spelling most like `name` among that kind (kCustom: among all); empty if none is
  // alike enough to be a likely slip.
  std::string Nearest(Kind kind, absl::string_view name) const;

  // "sil, PP, FF, …": the canonical names of one kind.
  std::string NameList(Kind kind) const;

  // For tests and for Get(): INVALID_ARGUMENT says what is wrong with the JSON text.
  static absl::StatusOr<Table> Parse(absl::string_view json);

 private:
  // The spellings of one kind, each with an index into expressions_. Those that case alone tells
  // apart share a folded spelling, which then leads nowhere.
  struct Spellings {
    absl::flat_hash_map<std::string, size_t> exact;
    absl::flat_hash_map<std::string, std::optional<size_t>> folded;
  };

  absl::Status AddSpelling(size_t expression, const std::string& spelling);
  absl::Status Add(Expression expression);

  std::vector<Expression> expressions_;
  std::vector<std::string> units_;
  std::array<Spellings, 3> spellings_;  // by Kind
};

}  // namespace blendwire::expression

#endif  // BLENDWIRE_EXPRESSION_TABLE_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_EXPRESSION_SLOT_LAYOUT_H_
#define BLENDWIRE_EXPRESSION_SLOT_LAYOUT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "expression/table.h"

namespace blendwire::expression {

// The standard layout of a condition vector: 64 floats.
inline constexpr size_t kStandardSize = 64;
inline constexpr size_t kStandardViseme = 0;     // 1 for a viseme, else 0
inline constexpr size_t kStandardEmotion = 1;    // 1 for an emotion, else 0
inline constexpr size_t kStandardIntensity = 2;  // 0 to 1
inline constexpr size_t kStandardCustom = 3;     // 1 for a custom condition, else 0
inline constexpr size_t kStandardUnits = 4;      // 52 ARKit units, already times the intensity
inline constexpr size_t kStandardFree = 56;      // 8 values for a model's own use, 0

// What each value of a model's condition vector means: the standard layout, or slots that the model
// names itself. Immutable, so safe for use from several threads at once; cheap enough to copy.
class SlotLayout {
 public:
  static SlotLayout Standard();

  // A slot `viseme_<name>` or `emotion_<name>` is that expression, any other name that the table
  // knows is that unit (or expression), and a name that nobody knows is the model's own: callers
  // reach it by exactly this name. INVALID_ARGUMENT for no slots, more than 4096, an empty name, or
  // two slots that mean the same.
  static absl::StatusOr<SlotLayout> FromNames(std::vector<std::string> names);

  bool is_standard() const { return standard_; }
  size_t size() const { return names_.size(); }

  // One name for each slot; of the standard layout: viseme, emotion, intensity, custom, the units,
  // free0 to free7.
  absl::Span<const std::string> names() const { return names_; }

  // The slot that makes this expression (of Table::Get()) directly.
  std::optional<size_t> SlotOf(const Expression& expression) const;

  // The slot of a unit: an index into Table::units().
  std::optional<size_t> SlotOfUnit(size_t unit) const;

  // The slot of exactly this name, in a layout that names its own slots.
  std::optional<size_t> SlotNamed(absl::string_view name) const;

  // Whether the expression can be made: by its own slot, or by at least one unit of its recipe. The
  // faces at rest (sil, Neutral) always can.
  bool CanMake(const Expression& expression) const;

 private:
  bool standard_ = false;
  std::vector<std::string> names_;
  std::vector<std::optional<size_t>> slots_;  // [Table::Get().expressions().size()]
  absl::flat_hash_map<std::string, size_t> by_name_;
};

// The canonical names of all expressions that the layout can make, in the table's order, then the
// names of the slots that are the model's own.
std::vector<std::string> SupportedExpressions(const SlotLayout& layout);

}  // namespace blendwire::expression

#endif  // BLENDWIRE_EXPRESSION_SLOT_LAYOUT_H_

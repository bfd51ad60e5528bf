// SPDX-License-Identifier: Apache-2.0

#include "model/mirrored_slots.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace blendwire::model {
namespace {

// The other side's name; `slot` itself if it has no side.
std::string OtherSide(absl::string_view slot) {
  constexpr std::pair<absl::string_view, absl::string_view> kSides[] = {
      {"Left", "Right"}, {"_left", "_right"}, {"_L", "_R"}, {".L", ".R"}};
  for (const auto& [left, right] : kSides) {
    absl::string_view stem = slot;
    if (absl::ConsumeSuffix(&stem, left)) return absl::StrCat(stem, right);
    if (absl::ConsumeSuffix(&stem, right)) return absl::StrCat(stem, left);
  }
  return std::string(slot);
}

}  // namespace

absl::StatusOr<std::vector<size_t>> MirroredSlots(absl::Span<const std::string> slots) {
  absl::flat_hash_map<absl::string_view, size_t> places;
  for (size_t i = 0; i < slots.size(); ++i) places[slots[i]] = i;
  std::vector<size_t> mirrored;
  mirrored.reserve(slots.size());
  for (const std::string& slot : slots) {
    const std::string other = OtherSide(slot);
    const auto found = places.find(other);
    if (found == places.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("the model's blendwire.mirror is \"average\", which exchanges left and "
                       "right, but its condition slot \"",
                       slot, "\" has no \"", other, "\" beside it"));
    }
    mirrored.push_back(found->second);
  }
  return mirrored;
}

}  // namespace blendwire::model

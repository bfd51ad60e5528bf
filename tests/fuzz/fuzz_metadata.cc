// SPDX-License-Identifier: Apache-2.0
//
// What a model file says about itself: lines of KEY=VALUE, as custom metadata.

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "check.h"
#include "expression/slot_layout.h"
#include "input.h"
#include "model/metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  fuzz::Input input(data, size);
  std::map<std::string, std::string> entries;
  const std::string text = input.TakeRest();
  for (const auto line : absl::StrSplit(text, '\n')) {
    const std::pair<std::string, std::string> entry = absl::StrSplit(line, absl::MaxSplits('=', 1));
    entries[absl::StrCat("blendwire.", entry.first)] = entry.second;
  }
  const auto metadata =
      model::ReadMetadata([&](const char* key) -> std::optional<std::string> {
        const auto found = entries.find(key);
        if (found == entries.end()) return std::nullopt;
        return found->second;
      });
  if (!metadata.ok()) return 0;
  BLENDWIRE_FUZZ_CHECK(metadata->max_batch >= 0 && metadata->feature_size >= 0);
  for (const auto& [slot, share] : metadata->contact) {
    for (const float value : {share.left_lid, share.right_lid, share.lips, share.least_own_lids}) {
      BLENDWIRE_FUZZ_CHECK(value >= 0.0f && value <= 1.0f);
    }
  }
  if (const auto layout = expression::SlotLayout::FromNames(metadata->condition_slots); layout.ok()) {
    BLENDWIRE_FUZZ_CHECK(layout->size() == metadata->condition_slots.size());
  }
  return 0;
}

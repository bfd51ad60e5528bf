// SPDX-License-Identifier: Apache-2.0

#include "model/metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace blendwire::model {
namespace {

constexpr char kContract[] = "blendwire.contract";
constexpr char kVersion[] = "blendwire.version";
constexpr char kTitle[] = "blendwire.title";
constexpr char kSlots[] = "blendwire.condition_slots";
constexpr char kMaxBatch[] = "blendwire.max_batch";

constexpr size_t kMaxTextBytes = 256;
constexpr size_t kMaxSlots = 4096;

absl::Status Wrong(absl::string_view key, absl::string_view value, absl::string_view right) {
  constexpr size_t kShown = 60;
  return absl::InvalidArgumentError(absl::StrCat("the model's metadata has ", key, " = \"",
                                                 value.substr(0, kShown),
                                                 value.size() > kShown ? "…" : "", "\"; ", right));
}

absl::StatusOr<std::vector<std::string>> ParseSlots(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array() || json.empty() || json.size() > kMaxSlots) {
    return Wrong(kSlots, text, absl::StrCat("it must be a JSON array of 1 to ", kMaxSlots, " names"));
  }
  std::vector<std::string> slots;
  for (const auto& slot : json) {
    if (!slot.is_string() || slot.get_ref<const std::string&>().size() > kMaxTextBytes) {
      return Wrong(kSlots, text, "each slot must be a string of at most 256 bytes");
    }
    slots.push_back(slot.get<std::string>());
  }
  std::vector<std::string> sorted = slots;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) {
    return Wrong(kSlots, text, absl::StrCat("the slot \"", *twice, "\" stands there twice"));
  }
  return slots;
}

}  // namespace

absl::StatusOr<Metadata> ReadMetadata(
    const std::function<std::optional<std::string>(const char* key)>& lookup) {
  Metadata result;
  if (const auto contract = lookup(kContract); contract.has_value() && *contract != "1") {
    return Wrong(kContract, *contract, "this server knows contract 1");
  }
  for (auto [key, field] : {std::pair{kVersion, &result.version}, {kTitle, &result.title}}) {
    if (auto value = lookup(key)) {
      if (value->size() > kMaxTextBytes) return Wrong(key, *value, "at most 256 bytes are allowed");
      *field = *std::move(value);
    }
  }
  if (const auto text = lookup(kSlots)) {
    absl::StatusOr<std::vector<std::string>> slots = ParseSlots(*text);
    if (!slots.ok()) return slots.status();
    result.condition_slots = *std::move(slots);
  }
  if (const auto text = lookup(kMaxBatch)) {
    if (!absl::SimpleAtoi(*text, &result.max_batch) || result.max_batch < 0) {
      return Wrong(kMaxBatch, *text, "it must be a whole number from 0 (any number) up");
    }
  }
  return result;
}

}  // namespace blendwire::model

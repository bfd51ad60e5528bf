// SPDX-License-Identifier: Apache-2.0

#include "model/metadata.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace blendwire::model {
namespace {

constexpr char kContract[] = "blendwire.contract";
constexpr char kVersion[] = "blendwire.version";
constexpr char kTitle[] = "blendwire.title";
constexpr char kSlots[] = "blendwire.condition_slots";
constexpr char kMaxBatch[] = "blendwire.max_batch";
constexpr char kFeatures[] = "blendwire.features";
constexpr char kMargins[] = "blendwire.margins";
constexpr char kContact[] = "blendwire.contact";
constexpr char kMirror[] = "blendwire.mirror";
constexpr char kSolids[] = "blendwire.solids";
constexpr char kMaxStretch[] = "blendwire.max_stretch";

constexpr size_t kMaxTextBytes = 256;
constexpr size_t kMaxSlots = 4096;
constexpr int kMaxFeatures = 4096;
constexpr float kMostStretch = 1000.0f;

absl::Status Wrong(absl::string_view key, absl::string_view value, absl::string_view right) {
  constexpr size_t kShown = 60;
  return absl::InvalidArgumentError(absl::StrCat("the model's metadata has ", key, " = \"",
                                                 absl::CHexEscape(value.substr(0, kShown)),
                                                 value.size() > kShown ? "…" : "", "\"; ", right));
}

// The bytes of the UTF-8 character that `text` begins with; 0 if it is none, or not printable. The
// ranges of second bytes rule out overlong forms, surrogates and what is beyond U+10FFFF (Unicode,
// table 3-7).
size_t PrintableUtf8Length(absl::string_view text) {
  const auto byte = [text](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
  };
  const auto within = [](unsigned value, unsigned low, unsigned high) {
    return low <= value && value <= high;
  };
  const unsigned lead = byte(0);
  if (within(lead, 0x20, 0x7e)) return 1;
  size_t length = 0;
  unsigned low = 0x80;
  unsigned high = 0xbf;
  if (within(lead, 0xc2, 0xdf)) {
    length = 2;
    if (lead == 0xc2) low = 0xa0;  // U+0080 to U+009F are control characters
  } else if (within(lead, 0xe0, 0xef)) {
    length = 3;
    if (lead == 0xe0) low = 0xa0;
    if (lead == 0xed) high = 0x9f;
  } else if (within(lead, 0xf0, 0xf4)) {
    length = 4;
    if (lead == 0xf0) low = 0x90;
    if (lead == 0xf4) high = 0x8f;
  }
  if (length == 0 || !within(byte(1), low, high)) return 0;
  for (size_t i = 2; i < length; ++i) {
    if (!within(byte(i), 0x80, 0xbf)) return 0;
  }
  return length;
}

// These texts go into protobuf strings, which must be UTF-8, and are shown on terminals.
bool IsText(absl::string_view text) {
  if (text.size() > kMaxTextBytes) return false;
  while (!text.empty()) {
    const size_t length = PrintableUtf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

constexpr char kTextRule[] = "at most 256 bytes of UTF-8 without control characters are allowed";

absl::StatusOr<std::vector<std::string>> ParseSlots(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_array() || json.empty() || json.size() > kMaxSlots) {
    return Wrong(kSlots, text,
                 absl::StrCat("it must be a JSON array of 1 to ", kMaxSlots, " names"));
  }
  std::vector<std::string> slots;
  for (const auto& slot : json) {
    if (!slot.is_string() || !IsText(slot.get_ref<const std::string&>())) {
      return Wrong(kSlots, text, absl::StrCat("each slot must be a string; ", kTextRule));
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

absl::Status CheckMargins(const std::string& text) {
  static const nlohmann::json* const kKnown =
      new nlohmann::json{"upper_lid", "lower_lid", "upper_lip", "lower_lip"};
  if (nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false) == *kKnown) {
    return absl::OkStatus();
  }
  return Wrong(kMargins, text, absl::StrCat("this server knows ", kKnown->dump()));
}

absl::StatusOr<std::map<std::string, ContactShare>> ParseContact(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || json.size() > kMaxSlots) {
    return Wrong(kContact, text, "it must be a JSON object of condition slots");
  }
  std::map<std::string, ContactShare> contact;
  for (const auto& [slot, shares] : json.items()) {
    ContactShare& share = contact[slot];
    if (!shares.is_object()) return Wrong(kContact, text, "each slot must be a JSON object");
    for (const auto& [name, value] : shares.items()) {
      float* const field = name == "left_lid"         ? &share.left_lid
                           : name == "right_lid"      ? &share.right_lid
                           : name == "lips"           ? &share.lips
                           : name == "least_own_lids" ? &share.least_own_lids
                                                      : nullptr;
      if (field == nullptr || !value.is_number() || !(value >= 0 && value <= 1)) {
        return Wrong(
            kContact, text,
            "each slot may have left_lid, right_lid, lips and least_own_lids, numbers from 0 to 1");
      }
      *field = value.get<float>();
    }
  }
  return contact;
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
      if (!IsText(*value)) return Wrong(key, *value, kTextRule);
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
  if (const auto text = lookup(kFeatures)) {
    if (!absl::SimpleAtoi(*text, &result.feature_size) || result.feature_size < 1 ||
        result.feature_size > kMaxFeatures) {
      return Wrong(kFeatures, *text,
                   absl::StrCat("it must be a whole number from 1 to ", kMaxFeatures));
    }
  }
  if (const auto text = lookup(kMargins)) {
    if (absl::Status status = CheckMargins(*text); !status.ok()) return status;
    result.has_margins = true;
  }
  if (const auto text = lookup(kContact)) {
    auto contact = ParseContact(*text);
    if (!contact.ok()) return contact.status();
    result.contact = *std::move(contact);
  }
  if (const auto text = lookup(kMirror)) {
    if (*text != "average") return Wrong(kMirror, *text, "this server knows \"average\"");
    if (result.condition_slots.empty() || result.max_batch != 0) {
      return Wrong(kMirror, *text,
                   "it needs blendwire.condition_slots, to know left from right, and "
                   "blendwire.max_batch = \"0\", to run an expression beside its mirror image");
    }
    result.average_with_mirror = true;
  }
  if (const auto text = lookup(kSolids)) {
    if (*text != "rigid") return Wrong(kSolids, *text, "this server knows \"rigid\"");
    result.rigid_solids = true;
  }
  if (const auto text = lookup(kMaxStretch)) {
    if (!absl::SimpleAtof(*text, &result.max_stretch) ||
        !(result.max_stretch > 1.0f && result.max_stretch <= kMostStretch)) {
      return Wrong(kMaxStretch, *text,
                   absl::StrCat("it must be a number above 1 and at most ", kMostStretch));
    }
  }
  return result;
}

}  // namespace blendwire::model

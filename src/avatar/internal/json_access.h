// SPDX-License-Identifier: Apache-2.0
//
// Reading fields of a glTF file's JSON, which may hold anything at all.

#ifndef BLENDWIRE_AVATAR_INTERNAL_JSON_ACCESS_H_
#define BLENDWIRE_AVATAR_INTERNAL_JSON_ACCESS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "nlohmann/json.hpp"

namespace blendwire::avatar {

// Keeps the order of members.
using Json = nlohmann::ordered_json;

// Parses a glTF file's JSON and checks what the rest of the code then relies on: it is an object,
// and each of its lists of things ("nodes", "meshes", …) is, if there, an array of objects.
// INVALID_ARGUMENT also for more than kMaxJsonDepth arrays and objects inside each other.
absl::StatusOr<Json> ParseGltfJson(absl::string_view text);
constexpr int kMaxJsonDepth = 200;

// "accessors", 3 -> "accessors[3]"; with "min": "accessors[3].min".
std::string Where(absl::string_view list, size_t index, absl::string_view member = "");

// The member of that name; null if there is none or `object` is no object.
const Json* Find(const Json& object, const std::string& key);
Json* Find(Json& object, const std::string& key);

// The list of that name, an empty array if there is none.
const Json& List(const Json& root, const std::string& key);
// The list of that name, made if there is none.
Json& MutableList(Json& root, const std::string& key);

// A whole number, not negative. `where` names the value in the error.
absl::StatusOr<uint64_t> ToUint(const Json& value, absl::string_view where);

// The member as a whole number; `fallback` if there is no such member, an error if there is no
// fallback either.
absl::StatusOr<uint64_t> GetUint(const Json& object, const std::string& key,
                                 absl::string_view where,
                                 std::optional<uint64_t> fallback = std::nullopt);

// `value` as an index into the root's list `list`.
absl::StatusOr<size_t> ToIndex(const Json& root, const Json& value, const std::string& list,
                               absl::string_view where);

// The member as an index into the root's list `list`; nothing if there is no such member.
absl::StatusOr<std::optional<size_t>> GetIndex(const Json& root, const Json& object,
                                               const std::string& key, const std::string& list,
                                               absl::string_view where);

// The member as numbers, exactly as many as `numbers` has; false if there is no such member.
absl::StatusOr<bool> GetNumbers(const Json& object, const std::string& key, absl::string_view where,
                                absl::Span<double> numbers);

// Whether JSON can hold the text.
bool IsUtf8(absl::string_view text);

// The member as text; empty if there is no such member or it is no text.
std::string GetText(const Json& object, const std::string& key);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_JSON_ACCESS_H_

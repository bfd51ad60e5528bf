// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/json_access.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "avatar/internal/status_macros.h"

namespace blendwire::avatar {
namespace {

constexpr const char* kLists[] = {"accessors", "animations", "buffers", "bufferViews", "images",
                                  "meshes",    "nodes",      "scenes",  "skins"};

// An excerpt of a wrong value for an error message. Only plain values are shown: an array or object
// can be of any size.
std::string Shown(const Json& value) {
  if (value.is_structured()) return absl::StrCat("an ", value.type_name());
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > 60) text = absl::StrCat(text.substr(0, 60), "…");
  return text;
}

absl::Status CheckLists(const Json& root) {
  for (const char* name : kLists) {
    const Json* list = Find(root, name);
    if (list == nullptr) continue;
    if (!list->is_array()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, " is ", Shown(*list), ", but must be an array"));
    }
    for (size_t i = 0; i < list->size(); ++i) {
      if ((*list)[i].is_object()) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(Where(name, i), " is ", Shown((*list)[i]), ", but must be an object"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Json> ParseGltfJson(absl::string_view text) {
  // The parser itself needs no stack for nesting, but copying and writing a value do.
  bool too_deep = false;
  const Json::parser_callback_t watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kMaxJsonDepth;
    return !too_deep;
  };
  Json root;
  try {
    root = Json::parse(text.begin(), text.end(), watch);
  } catch (const Json::exception& error) {
    std::string reason = error.what();
    if (reason.size() > 200) reason.resize(200);
    return absl::InvalidArgumentError(absl::StrCat("the glTF's JSON is broken: ", reason));
  }
  if (too_deep) {
    return absl::InvalidArgumentError(absl::StrCat("the glTF's JSON has more than ", kMaxJsonDepth,
                                                   " arrays and objects inside each other"));
  }
  if (!root.is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the glTF's JSON is ", Shown(root), ", but must be an object"));
  }
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(CheckLists(root));
  return root;
}

std::string Where(absl::string_view list, size_t index, absl::string_view member) {
  if (member.empty()) return absl::StrCat(list, "[", index, "]");
  return absl::StrCat(list, "[", index, "].", member);
}

const Json* Find(const Json& object, const std::string& key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

Json* Find(Json& object, const std::string& key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

const Json& List(const Json& root, const std::string& key) {
  static const Json* const kEmpty = new Json(Json::array());
  const Json* list = Find(root, key);
  return list == nullptr || !list->is_array() ? *kEmpty : *list;
}

Json& MutableList(Json& root, const std::string& key) {
  Json& list = root[key];
  if (!list.is_array()) list = Json::array();
  return list;
}

absl::StatusOr<uint64_t> ToUint(const Json& value, absl::string_view where) {
  // An integer that this program has put in itself may be a signed one.
  if (value.is_number_unsigned() || (value.is_number_integer() && value.get<int64_t>() >= 0)) {
    return value.get<uint64_t>();
  }
  // Some exporters write every number with a decimal point.
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (number >= 0 && number < 9007199254740992.0 && number == std::floor(number)) {
      return static_cast<uint64_t>(number);
    }
  }
  return absl::InvalidArgumentError(
      absl::StrCat(where, " is ", Shown(value), ", but must be a whole number from 0 up"));
}

absl::StatusOr<uint64_t> GetUint(const Json& object, const std::string& key,
                                 absl::string_view where, std::optional<uint64_t> fallback) {
  const Json* value = Find(object, key);
  if (value != nullptr) return ToUint(*value, absl::StrCat(where, ".", key));
  if (fallback.has_value()) return *fallback;
  return absl::InvalidArgumentError(absl::StrCat(where, ".", key, " is missing"));
}

absl::StatusOr<size_t> ToIndex(const Json& root, const Json& value, const std::string& list,
                               absl::string_view where) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t index, ToUint(value, where));
  const size_t size = List(root, list).size();
  if (index < size) return static_cast<size_t>(index);
  return absl::InvalidArgumentError(
      absl::StrCat(where, " is ", index, ", but the file has ", size, " ", list));
}

absl::StatusOr<std::optional<size_t>> GetIndex(const Json& root, const Json& object,
                                               const std::string& key, const std::string& list,
                                               absl::string_view where) {
  const Json* value = Find(object, key);
  if (value == nullptr) return std::nullopt;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const size_t index,
                                    ToIndex(root, *value, list, absl::StrCat(where, ".", key)));
  return index;
}

absl::StatusOr<bool> GetNumbers(const Json& object, const std::string& key, absl::string_view where,
                                absl::Span<double> numbers) {
  const Json* value = Find(object, key);
  if (value == nullptr) return false;
  if (!value->is_array() || value->size() != numbers.size()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ".", key, " is ", Shown(*value),
                                                   ", but must be an array of ", numbers.size(),
                                                   " numbers"));
  }
  for (size_t i = 0; i < numbers.size(); ++i) {
    const Json& number = (*value)[i];
    if (!number.is_number()) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ".", key, "[", i, "] is ", Shown(number), ", but must be a number"));
    }
    numbers[i] = number.get<double>();
  }
  return true;
}

bool IsUtf8(absl::string_view text) {
  try {
    (void)Json(std::string(text)).dump();
  } catch (const Json::exception&) {
    return false;
  }
  return true;
}

std::string GetText(const Json& object, const std::string& key) {
  const Json* value = Find(object, key);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace blendwire::avatar

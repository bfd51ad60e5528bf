// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/mesh_targets.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/status_macros.h"

namespace blendwire::avatar {
namespace {

absl::StatusOr<size_t> TargetCount(const Json& primitive, const std::string& where) {
  const Json* targets = Find(primitive, "targets");
  if (targets == nullptr) return 0;
  if (!targets->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ".targets must be an array"));
  }
  for (size_t i = 0; i < targets->size(); ++i) {
    if ((*targets)[i].is_object()) continue;
    return absl::InvalidArgumentError(absl::StrCat(where, ".targets[", i, "] must be an object"));
  }
  return targets->size();
}

absl::Status CheckPrimitive(const Json& root, const Json& primitive, const std::string& where) {
  if (!primitive.is_object()) {
    return absl::InvalidArgumentError(absl::StrCat(where, " must be an object"));
  }
  const Json* attributes = Find(primitive, "attributes");
  const Json* position = attributes == nullptr ? nullptr : Find(*attributes, "POSITION");
  if (position == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(where, ".attributes.POSITION is missing"));
  }
  return ToIndex(root, *position, "accessors", absl::StrCat(where, ".attributes.POSITION"))
      .status();
}

// The texts of a list that is found in `object`.extras.targetNames.
const Json* NameList(const Json& object) {
  const Json* extras = Find(object, "extras");
  const Json* names = extras == nullptr ? nullptr : Find(*extras, "targetNames");
  return names != nullptr && names->is_array() ? names : nullptr;
}

}  // namespace

absl::StatusOr<const Json*> CheckedPrimitives(const Json& root, size_t mesh) {
  const std::string where = Where("meshes", mesh);
  const Json* primitives = Find(List(root, "meshes")[mesh], "primitives");
  if (primitives == nullptr || !primitives->is_array() || primitives->empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ".primitives must be an array of at least one primitive"));
  }
  size_t first_count = 0;
  for (size_t i = 0; i < primitives->size(); ++i) {
    const std::string primitive_where = absl::StrCat(where, ".primitives[", i, "]");
    BLENDWIRE_AVATAR_RETURN_IF_ERROR(CheckPrimitive(root, (*primitives)[i], primitive_where));
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const size_t count,
                                      TargetCount((*primitives)[i], primitive_where));
    if (i == 0) first_count = count;
    if (count != first_count) {
      return absl::InvalidArgumentError(absl::StrCat(primitive_where, " has ", count,
                                                     " morph targets, but the mesh's first has ",
                                                     first_count));
    }
  }
  return primitives;
}

std::vector<std::string> TargetNames(const Json& mesh) {
  std::vector<std::string> names;
  const Json* primitives = Find(mesh, "primitives");
  if (primitives == nullptr || !primitives->is_array() || primitives->empty()) return names;
  const Json& first = (*primitives)[0];
  const Json* list = NameList(mesh);
  if (list == nullptr) list = NameList(first);
  const Json& targets = List(first, "targets");
  for (size_t i = 0; i < targets.size(); ++i) {
    std::string name;
    if (list != nullptr && i < list->size() && (*list)[i].is_string()) {
      name = (*list)[i].get<std::string>();
    } else if (list == nullptr) {
      if (const Json* extras = Find(targets[i], "extras"); extras != nullptr) {
        name = GetText(*extras, "name");
      }
    }
    names.push_back(name.empty() ? absl::StrCat("target_", i) : name);
  }
  return names;
}

}  // namespace blendwire::avatar

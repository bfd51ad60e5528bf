// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_OBJ_PARSER_H_
#define BLENDWIRE_AVATAR_INTERNAL_OBJ_PARSER_H_

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "avatar/avatar.h"

namespace blendwire::avatar {

struct ObjMaterial {
  std::string name;
  std::array<double, 4> colour = {0.8, 0.8, 0.8, 1.0};
  std::string texture;  // a relative path; empty if there is none
};

// A corner of a face: indices from 0, -1 for what it does not have.
struct ObjCorner {
  int64_t position = -1;
  int64_t texture = -1;
  int64_t normal = -1;
};

struct ObjFace {
  size_t object = 0;
  int material = -1;
  std::vector<ObjCorner> corners;  // at least three
};

struct ObjFile {
  std::vector<float> positions;  // [n,3] flattened
  std::vector<float> textures;   // [n,2] flattened
  std::vector<float> normals;    // [n,3] flattened
  std::vector<std::string> objects;
  std::vector<ObjMaterial> materials;
  std::vector<ObjFace> faces;
};

// With materials from files in `folder`, if that is not empty. INVALID_ARGUMENT for an index that
// is out of range, a coordinate that is not finite, and more than the limits allow.
absl::StatusOr<ObjFile> ParseObjText(absl::string_view text, const std::filesystem::path& folder,
                                     const Limits& limits);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_OBJ_PARSER_H_

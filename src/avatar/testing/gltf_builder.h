// SPDX-License-Identifier: Apache-2.0
//
// Small glTF files for tests, made without any of the library's own code.

#ifndef BLENDWIRE_AVATAR_TESTING_GLTF_BUILDER_H_
#define BLENDWIRE_AVATAR_TESTING_GLTF_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "nlohmann/json.hpp"

namespace blendwire::avatar::testing {

using Json = nlohmann::ordered_json;

class GltfBuilder {
 public:
  GltfBuilder();

  // The JSON so far, to be changed at will.
  Json root;
  std::string bin;

  // Bytes of numbers.
  template <typename T>
  static std::string Pack(const std::vector<T>& values) {
    return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }

  size_t AddView(const std::string& bytes, int stride = 0);
  // On a bufferView of its own.
  size_t AddAccessor(const std::string& bytes, int component_type, const std::string& type,
                     size_t count);
  size_t AddVec3(const std::vector<float>& values);
  size_t AddIndices(const std::vector<uint16_t>& indices);

  // A mesh of one primitive, and a node in the scene that shows it. Returns the mesh's index.
  size_t AddMesh(const std::string& name, Json primitive);
  size_t AddNode(Json node);

  std::string Glb() const;
  // The .gltf form, its buffer named by `uri`.
  std::string Gltf(const std::string& uri) const;
};

// A GLB's parts: what follows from its bytes alone.
struct GlbParts {
  Json root;
  std::string bin;
};
GlbParts SplitGlb(const std::string& glb);

// Four vertices, two triangles: a square of side 0.2 in the plane Z = 0.1, with normals.
Json SquarePrimitive(GltfBuilder& builder);

}  // namespace blendwire::avatar::testing

#endif  // BLENDWIRE_AVATAR_TESTING_GLTF_BUILDER_H_

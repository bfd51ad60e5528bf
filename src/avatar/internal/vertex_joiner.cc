// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/vertex_joiner.h"

namespace blendwire::avatar {

uint32_t VertexJoiner::Add(uint32_t index, const std::array<float, 3>& position,
                           uint64_t fingerprint, const std::array<float, 3>& normal) {
  // Adding zero makes -0 and 0 the same.
  const Key key = {{position[0] + 0.0f, position[1] + 0.0f, position[2] + 0.0f}, fingerprint};
  std::vector<Vertex>& here = seen_[key];
  for (const Vertex& vertex : here) {
    const float cosine =
        vertex.normal[0] * normal[0] + vertex.normal[1] * normal[1] + vertex.normal[2] * normal[2];
    if (!(cosine < 0)) return vertex.index;
  }
  here.push_back({index, normal});
  return index;
}

uint64_t MixFingerprint(uint64_t fingerprint, uint32_t value) {
  // The mixing steps of Steele, Lea and Flood's SplitMix64 (OOPSLA 2014).
  uint64_t z = fingerprint + value + 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

}  // namespace blendwire::avatar

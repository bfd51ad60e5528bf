// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_VERTEX_JOINER_H_
#define BLENDWIRE_AVATAR_INTERNAL_VERTEX_JOINER_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"

namespace blendwire::avatar {

// Finds the vertices of one mesh that a file format had to split. Same are two vertices with the
// same position and the same fingerprint (of skin weights and existing morph targets) whose normals
// do not point away from each other: upper and lower lip may touch, but face each other.
class VertexJoiner {
 public:
  // The index of the same vertex that was added before with `index`, else `index`, which is then
  // the one that later vertices are the same as. Without a normal: {0, 0, 0}.
  uint32_t Add(uint32_t index, const std::array<float, 3>& position, uint64_t fingerprint,
               const std::array<float, 3>& normal);

 private:
  struct Key {
    std::array<float, 3> position;
    uint64_t fingerprint;

    friend bool operator==(const Key& a, const Key& b) {
      return a.position == b.position && a.fingerprint == b.fingerprint;
    }
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.position, key.fingerprint);
    }
  };
  struct Vertex {
    uint32_t index;
    std::array<float, 3> normal;
  };

  // At each place at most four, since no more directions can pairwise point away from each other.
  absl::flat_hash_map<Key, std::vector<Vertex>> seen_;
};

// One more value in a fingerprint.
uint64_t MixFingerprint(uint64_t fingerprint, uint32_t value);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_VERTEX_JOINER_H_

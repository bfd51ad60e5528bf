// SPDX-License-Identifier: Apache-2.0
//
// What is symmetric about a mesh, and offsets that keep it so.
//
// A model moves each vertex by itself, so a symmetric face gets a slightly lopsided smile. Where a
// mesh is its own mirror image, the mean of a vertex's offset and the mirror image of its partner's
// is exactly symmetric:
//
//   const MirrorMap map = MirrorMap::Build(adjacency, vertices, normals);       // once per mesh
//   AverageWithMirror(map, left_smile, right_smile, symmetric_left_smile);  // once per expression
//
// The plane is x = c, found by trying. A vertex's partner is the vertex nearest to its mirror
// image, at most 2e-4 of the bounding box's diagonal from it, with a normal that is not turned away
// from the mirrored one (upper and lower lip of a closed mouth share positions), and each must be
// the other's partner. How triangles join the vertices does not matter.
//
// Parts that triangles join are looked at by themselves: a part without partners for at least 0.8
// of its vertices is not symmetric and keeps its offsets to the bit, and so does the whole mesh if
// less than half of it is symmetric. The few vertices of a symmetric part that have no partner
// go with their neighbours, or they would stand out.

#ifndef BLENDWIRE_MESH_MIRROR_H_
#define BLENDWIRE_MESH_MIRROR_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"

namespace blendwire::mesh {

// Immutable, so safe for use from several threads at once.
class MirrorMap {
 public:
  static constexpr uint32_t kNoPartner = std::numeric_limits<uint32_t>::max();

  // Of a mesh that is not symmetric.
  MirrorMap() = default;

  // `vertices` [N,3] are those of `adjacency`; `normals` [N,3] have unit length or are zero where
  // unknown, equal within a node.
  static MirrorMap Build(const Adjacency& adjacency, absl::Span<const float> vertices,
                         absl::Span<const float> normals);

  // Nothing is symmetric.
  bool empty() const { return partners_.empty(); }

  // [N], or nothing if empty(): itself for a vertex on the plane, kNoPartner for one that has none
  // or is part of something that is not symmetric.
  absl::Span<const uint32_t> partners() const { return partners_; }

  // A vertex without a partner in a symmetric part, and its neighbours that are averaged, or are
  // followers earlier in the list.
  struct Follower {
    uint32_t vertex;
    uint32_t first;  // in followed()
    uint32_t last;
  };
  absl::Span<const Follower> followers() const { return followers_; }
  absl::Span<const uint32_t> followed() const { return followed_; }

  // Heap memory, for whoever keeps maps for later.
  size_t memory_bytes() const;

 private:
  std::vector<uint32_t> partners_;
  std::vector<Follower> followers_;
  std::vector<uint32_t> followed_;
};

// `result` [N,3] = the mean of `own` and the mirror image of `mirrored`, both [N,3]: the offsets of
// an expression and of its mirror image (left and right exchanged), which may be the same.
// `result` may not overlap either.
void AverageWithMirror(const MirrorMap& map, absl::Span<const float> own,
                       absl::Span<const float> mirrored, absl::Span<float> result);

// The same in place for values that mirroring leaves alone, [N,channels].
void AverageScalarsWithMirror(const MirrorMap& map, size_t channels, absl::Span<float> values);

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_MIRROR_H_

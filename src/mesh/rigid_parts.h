// SPDX-License-Identifier: Apache-2.0
//
// Teeth, eyeballs and studs do not bend. A model that moves each vertex by itself bends them a
// little, and folds what is finely meshed. Where the offsets of a small solid part are almost those
// of a rigid motion, they become that motion:
//
//   const RigidParts parts = RigidParts::Build(adjacency, vertices, triangles);  // once per mesh
//   MakeRigid(parts, vertices, offsets);                                   // once per expression
//
// A part is what triangles join. Small is one whose bounding box has at most half of the diagonal
// of that of the part with the most nodes, the skin; solid, one whose surface is all but closed:
// lashes and brows, which bend, are open strips. A rigid motion is a shift and a turn, the latter
// linear in its angle as shape keys are, so an expression at half its weight moves its parts half
// as far:
//   q(p) = t + w x (p - c),  c the part's middle, t and w the least squares fit to its offsets.
// With r the length of what that leaves over, as a share of the offsets' length, offsets become q
// where r <= 0.25, stay as they are where r >= 0.35, and go over from one to the other between. So
// a tongue that bends keeps bending.
//
// A ball, within a fifth of its radius and seen from all sides, is an eye: what it does not do as a
// rigid body is only a turn about its centre.

#ifndef BLENDWIRE_MESH_RIGID_PARTS_H_
#define BLENDWIRE_MESH_RIGID_PARTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"

namespace blendwire::mesh {

// Immutable, so safe for use from several threads at once.
class RigidParts {
 public:
  // Of a mesh that has none.
  RigidParts() = default;

  // `vertices` [N,3] and `triangles` [T,3] are those of `adjacency`; without triangles there are no
  // parts.
  static RigidParts Build(const Adjacency& adjacency, absl::Span<const float> vertices,
                          absl::Span<const uint32_t> triangles);

  // About a centre; turn[3*i + j] is the inverse of the inertia tensor with every vertex of mass 1.
  struct Pivot {
    std::array<double, 3> center;
    std::array<double, 9> turn;
  };
  struct Part {
    uint32_t first;  // in vertices()
    uint32_t last;
    bool is_ball;
    Pivot middle;
    Pivot ball;  // only if is_ball
  };
  absl::Span<const Part> parts() const { return parts_; }
  absl::Span<const uint32_t> vertices() const { return vertices_; }

 private:
  std::vector<Part> parts_;
  std::vector<uint32_t> vertices_;
};

// Changes `offsets` [N,3] in place; `vertices` [N,3] are those that `parts` were made of.
void MakeRigid(const RigidParts& parts, absl::Span<const float> vertices,
               absl::Span<float> offsets);

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_RIGID_PARTS_H_

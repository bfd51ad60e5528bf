// SPDX-License-Identifier: Apache-2.0
//
// Skin that stays in one piece. Where a model is wrong about neighbours, it tears the surface into
// long strips. Edges that got too long are drawn together, and their surroundings share the rest:
//
//   const ShortestEdges edges = ShortestEdges::Build(adjacency, vertices);  // once per mesh
//   LimitStretch(adjacency, edges, vertices, 3.0f, offsets, scratch);     // once per expression

#ifndef BLENDWIRE_MESH_STRETCH_H_
#define BLENDWIRE_MESH_STRETCH_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/smoothing.h"

namespace blendwire::mesh {

// The shortest edge of each node, as an Adjacency's layout() numbers them. A node is where its
// first vertex is. Immutable, so safe for use from several threads at once.
class ShortestEdges {
 public:
  // Of a mesh whose edges are unknown: nothing is too long.
  ShortestEdges() = default;

  // `vertices` [N,3] are those of `adjacency`, which should be of triangles: neighbours that are
  // merely near, like the lips of a closed mouth, may part as far as they like.
  static ShortestEdges Build(const Adjacency& adjacency, absl::Span<const float> vertices);

  // [node_count] lengths, squared; infinite for a node without neighbours.
  absl::Span<const float> squared() const { return squared_; }

 private:
  std::vector<float> squared_;
};

// Changes `offsets` [N,3] in place, so that hardly an edge is more than `most` (above 1) times as
// long as at rest: the ends of one that is are drawn towards each other, each node by the mean of
// what its edges ask for, until none is left, or for 16 rounds. Only nodes within two edges of such
// an edge change, none by more than a quarter of the longest offset among them: what asks for more
// is no tear, but what the model means. The vertices of a node change alike.
//
// Returns how many edges were too long. Leaves in `scratch` what MeasureLimitedQuality() wants.
size_t LimitStretch(const Adjacency& adjacency, const ShortestEdges& edges,
                    absl::Span<const float> vertices, float most, absl::Span<float> offsets,
                    SmoothingScratch& scratch);

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_STRETCH_H_

// SPDX-License-Identifier: Apache-2.0
//
// Which vertices of a mesh are next to each other.
//
//   const Adjacency adjacency = Adjacency::FromTriangles(vertices, triangles);
//   for (uint32_t neighbour : adjacency.neighbours(adjacency.node_of(vertex))) ...
//
// Neighbourhood is between *nodes*, not vertices: files split a vertex where a texture seam or a
// sharp edge runs through it, and an algorithm that took the copies for different points would tear
// the surface there. So vertices at one position (within 1e-6 of the bounding box's diagonal of the
// node's first vertex) form one node, with two exceptions, since the lips of an exactly closed
// mouth share positions too and must not be glued:
//   - their own normals (before welding) oppose each other: dot product below -0.5;
//   - both lie inside the surface, with triangles all around them. A vertex that was split has an
//     open side, so two that have none are two surfaces that merely touch.

#ifndef BLENDWIRE_MESH_ADJACENCY_H_
#define BLENDWIRE_MESH_ADJACENCY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/internal/node_layout.h"

namespace blendwire::mesh {

// Immutable, so safe for use from several threads at once. Nodes are numbered in the order of their
// first vertices; in a mesh without welded vertices they are the vertices.
class Adjacency {
 public:
  // Of a mesh without vertices.
  Adjacency() = default;

  // Two nodes are neighbours if they share an edge of a triangle. `vertices` [N,3] in metres and
  // `triangles` [T,3] must have passed ValidateVertices and ValidateTriangles.
  static Adjacency FromTriangles(absl::Span<const float> vertices,
                                 absl::Span<const uint32_t> triangles);

  // For a mesh whose triangles are unknown: two nodes are neighbours if either is among the `k`
  // nodes nearest to the other. Without normals every vertex at one position is welded, and
  // touching lips become neighbours. `vertices` must have passed ValidateVertices; k >= 1.
  static Adjacency FromNearestNeighbours(absl::Span<const float> vertices, size_t k = 8);

  size_t vertex_count() const { return node_of_.size(); }
  size_t node_count() const { return first_.empty() ? 0 : first_.size() - 1; }

  // Some nodes stand for more than one vertex.
  bool has_welds() const { return node_count() != vertex_count(); }

  uint32_t node_of(size_t vertex) const { return node_of_[vertex]; }
  absl::Span<const uint32_t> nodes() const { return node_of_; }  // [vertex_count]

  // Ascending, without duplicates and without the node itself; empty for an isolated vertex.
  absl::Span<const uint32_t> neighbours(size_t node) const {
    return absl::MakeConstSpan(neighbours_.data() + first_[node],
                               neighbours_.data() + first_[node + 1]);
  }

  // For what goes through all nodes again and again.
  const internal::NodeLayout& layout() const { return layout_; }

  // Heap memory, for whoever keeps adjacencies for later.
  size_t memory_bytes() const;

 private:
  std::vector<uint32_t> node_of_;     // [vertex_count]
  std::vector<uint32_t> first_;       // [node_count + 1] where a node's neighbours begin
  std::vector<uint32_t> neighbours_;  // [2 * edges]
  internal::NodeLayout layout_;
};

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_ADJACENCY_H_

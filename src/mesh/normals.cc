// SPDX-License-Identifier: Apache-2.0

#include "mesh/normals.h"

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/internal/surface.h"
#include "mesh/internal/weld.h"

namespace blendwire::mesh {
namespace {

std::vector<float> NormalsOfNodes(absl::Span<const uint32_t> node_of, size_t node_count,
                                  absl::Span<const float> vertices,
                                  absl::Span<const uint32_t> triangles) {
  std::vector<internal::Vector> of_nodes =
      internal::AreaVectors(vertices, triangles, node_of, node_count);
  internal::Normalize(absl::MakeSpan(of_nodes));
  std::vector<float> normals(vertices.size());
  for (size_t v = 0; v < node_of.size(); ++v) {
    for (size_t axis = 0; axis < 3; ++axis) {
      normals[3 * v + axis] = static_cast<float>(of_nodes[node_of[v]][axis]);
    }
  }
  return normals;
}

}  // namespace

std::vector<float> VertexNormals(absl::Span<const float> vertices,
                                 absl::Span<const uint32_t> triangles) {
  const internal::Weld weld = internal::WeldVertices(vertices, triangles);
  return NormalsOfNodes(weld.node_of, weld.first_vertex.size(), vertices, triangles);
}

std::vector<float> VertexNormals(const Adjacency& adjacency, absl::Span<const float> vertices,
                                 absl::Span<const uint32_t> triangles) {
  return NormalsOfNodes(adjacency.nodes(), adjacency.node_count(), vertices, triangles);
}

}  // namespace blendwire::mesh

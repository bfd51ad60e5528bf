// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_WELD_H_
#define BLENDWIRE_MESH_INTERNAL_WELD_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace blendwire::mesh::internal {

struct Weld {
  std::vector<uint32_t> node_of;       // [N] the node of each vertex
  std::vector<uint32_t> first_vertex;  // [node_count] ascending
};

// Joins the vertices at one position, by the rule that stands in mesh/adjacency.h. In order of
// their indices, each vertex joins the node that it may join whose normal is most like its own (the
// first of equals), or begins a node. A node's position is that of its first vertex, its normal
// that of its first vertex with one.
Weld WeldVertices(absl::Span<const float> vertices, absl::Span<const uint32_t> triangles);

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_WELD_H_

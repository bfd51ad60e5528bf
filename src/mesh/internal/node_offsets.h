// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_
#define BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"

namespace blendwire::mesh::internal {

// An offset with a fourth value that is always zero: one aligned vector register, and never more
// than one cache line to fetch for a neighbour.
struct alignas(16) Padded {
  float value[4];
};

// Each node's offset: the mean over its vertices, and a zero behind the last node for
// SumOfNeighbours. `offsets` is [vertex_count,3] flattened; `node_offsets` gets node_count + 1
// elements.
void AverageToNodes(const Adjacency& adjacency, absl::Span<const float> offsets,
                    std::vector<Padded>& node_offsets);

// Zero for a node without neighbours. `of_nodes` has a zero behind the last node.
inline Padded SumOfNeighbours(const Adjacency& adjacency, const Padded* of_nodes, size_t node) {
  const absl::Span<const uint32_t> neighbours = adjacency.padded_neighbours(node);
  // Pointers: a span checks each index.
  const uint32_t* const end = neighbours.data() + neighbours.size();
  Padded sum{};
  for (const uint32_t* block = neighbours.data(); block != end; block += Adjacency::kBlock) {
    for (size_t i = 0; i < Adjacency::kBlock; ++i) {
      const Padded& other = of_nodes[block[i]];
      for (size_t axis = 0; axis < 4; ++axis) sum.value[axis] += other.value[axis];
    }
  }
  return sum;
}

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_

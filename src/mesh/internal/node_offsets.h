// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_
#define BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"

namespace blendwire::mesh::internal {

// Nodes, or vertices, of a piece of work for ParallelFor: 30 microseconds and more. A mesh of fewer
// is not worth a second thread.
inline constexpr size_t kGrain = 8192;

// Four floats in one register. GCC and Clang, which build this project, have such types, and do not
// find out by themselves that a loop over four floats is one instruction.
using Float4 __attribute__((vector_size(16))) = float;

// An offset with a fourth value that is always zero: never more than one cache line to fetch for a
// neighbour.
struct Padded {
  Float4 value;
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
      sum.value += of_nodes[block[i]].value;
    }
  }
  return sum;
}

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_

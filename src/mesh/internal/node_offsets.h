// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_
#define BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_

#include "absl/types/span.h"
#include "mesh/adjacency.h"

namespace blendwire::mesh::internal {

// An offset with a fourth value that is always zero: one aligned vector register, and never more
// than one cache line to fetch for a neighbour.
struct alignas(16) Padded {
  float value[4];
};

// Each node's offset: the mean over its vertices. `offsets` is [vertex_count,3] flattened,
// `node_offsets` has node_count elements.
void AverageToNodes(const Adjacency& adjacency, absl::Span<const float> offsets,
                    absl::Span<Padded> node_offsets);

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_

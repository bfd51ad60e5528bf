// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_NODE_LAYOUT_H_
#define BLENDWIRE_MESH_INTERNAL_NODE_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace blendwire::mesh::internal {

// The nodes of an Adjacency once more, in the order in which the work on offsets goes through them:
// near ones near each other, for the sake of the processor's caches, and those with equally many
// neighbours in runs, so that the loop over a node's neighbours takes the turns that the processor
// expects. A node is known by its position in this order.
struct NodeLayout {
  // The nodes at [begin, end) have `degree` neighbours each, listed from `first_neighbour` on.
  struct Run {
    uint32_t begin = 0;
    uint32_t end = 0;
    uint32_t degree = 0;
    uint32_t first_neighbour = 0;
  };

  // No run crosses a multiple of this.
  static constexpr size_t kWindow = 2048;

  // `node_of` [vertex_count], `first` [node_count + 1] and `neighbours` as an Adjacency has them.
  static NodeLayout Of(absl::Span<const uint32_t> node_of, absl::Span<const uint32_t> first,
                       absl::Span<const uint32_t> neighbours);

  size_t memory_bytes() const;

  std::vector<Run> runs;               // ascending
  std::vector<uint32_t> neighbours;    // node by node
  std::vector<uint32_t> node_of;       // [vertex_count]
  std::vector<uint32_t> vertices;      // [vertex_count] node by node
  std::vector<uint32_t> first_vertex;  // [node_count + 1] where a node's vertices begin
};

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_NODE_LAYOUT_H_

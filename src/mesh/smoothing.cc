// SPDX-License-Identifier: Apache-2.0

#include "mesh/smoothing.h"

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/internal/node_offsets.h"

namespace blendwire::mesh {
namespace {

using internal::Padded;

// How far an iteration goes from a node's own offset to its neighbours' mean.
constexpr float kLambda = 0.5f;

void Iterate(const Adjacency& adjacency, const Padded* from, Padded* to) {
  const size_t node_count = adjacency.node_count();
  for (size_t node = 0; node < node_count; ++node) {
    const absl::Span<const uint32_t> neighbours = adjacency.neighbours(node);
    const Padded own = from[node];
    if (neighbours.empty()) {
      to[node] = own;
      continue;
    }
    Padded sum{};
    for (const uint32_t neighbour : neighbours) {
      const Padded& other = from[neighbour];
      for (size_t i = 0; i < 4; ++i) sum.value[i] += other.value[i];
    }
    const float share = kLambda / static_cast<float>(neighbours.size());
    Padded moved;
    for (size_t i = 0; i < 4; ++i) {
      moved.value[i] = (1.0f - kLambda) * own.value[i] + share * sum.value[i];
    }
    to[node] = moved;
  }
}

void WriteToVertices(const Adjacency& adjacency, absl::Span<const Padded> node_offsets,
                     absl::Span<float> offsets) {
  const absl::Span<const uint32_t> nodes = adjacency.nodes();
  for (size_t v = 0; v < nodes.size(); ++v) {
    const Padded& node = node_offsets[nodes[v]];
    for (size_t axis = 0; axis < 3; ++axis) offsets[3 * v + axis] = node.value[axis];
  }
}

}  // namespace

void SmoothOffsets(const Adjacency& adjacency, int iterations, absl::Span<float> offsets,
                   SmoothingScratch& scratch) {
  if (iterations <= 0 || offsets.empty()) return;
  scratch.from.resize(adjacency.node_count());
  scratch.to.resize(adjacency.node_count());
  internal::AverageToNodes(adjacency, offsets, absl::MakeSpan(scratch.from));
  for (int i = 0; i < iterations; ++i) {
    Iterate(adjacency, scratch.from.data(), scratch.to.data());
    scratch.from.swap(scratch.to);
  }
  WriteToVertices(adjacency, scratch.from, offsets);
}

void SmoothOffsets(const Adjacency& adjacency, int iterations, absl::Span<float> offsets) {
  SmoothingScratch scratch;
  SmoothOffsets(adjacency, iterations, offsets, scratch);
}

}  // namespace blendwire::mesh

// SPDX-License-Identifier: Apache-2.0

#include "mesh/smoothing.h"

#include <cstddef>
#include <vector>

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
    const auto count = static_cast<float>(adjacency.neighbours(node).size());
    const Padded sum = internal::SumOfNeighbours(adjacency, from, node);
    // Chosen, not jumped to: a node without neighbours keeps its own.
    const float keep = count == 0.0f ? 1.0f : 1.0f - kLambda;
    const float share = count == 0.0f ? 0.0f : kLambda / count;
    for (size_t i = 0; i < 4; ++i) {
      to[node].value[i] = keep * from[node].value[i] + share * sum.value[i];
    }
  }
  to[node_count] = Padded{};
}

void WriteToVertices(const Adjacency& adjacency, const std::vector<Padded>& node_offsets,
                     absl::Span<float> offsets) {
  float* offset = offsets.data();  // a span checks each index
  for (size_t v = 0; v < adjacency.vertex_count(); ++v, offset += 3) {
    const Padded& node = node_offsets[adjacency.node_of(v)];
    for (size_t axis = 0; axis < 3; ++axis) offset[axis] = node.value[axis];
  }
}

}  // namespace

void SmoothOffsets(const Adjacency& adjacency, int iterations, absl::Span<float> offsets,
                   SmoothingScratch& scratch) {
  if (iterations <= 0 || offsets.empty()) return;
  internal::AverageToNodes(adjacency, offsets, scratch.from);
  scratch.to.resize(scratch.from.size());
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

// SPDX-License-Identifier: Apache-2.0

#include "mesh/smoothing.h"

#include <cstddef>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/internal/node_offsets.h"
#include "system/parallel_for.h"

namespace blendwire::mesh {
namespace {

using internal::Padded;

// How far an iteration goes from a node's own offset to its neighbours' mean.
constexpr float kLambda = 0.5f;

void Iterate(const Adjacency& adjacency, const Padded* from, Padded* to, size_t begin, size_t end) {
  for (size_t node = begin; node < end; ++node) {
    const auto count = static_cast<float>(adjacency.neighbours(node).size());
    const Padded sum = internal::SumOfNeighbours(adjacency, from, node);
    // Chosen, not jumped to: a node without neighbours keeps its own.
    const float keep = count == 0.0f ? 1.0f : 1.0f - kLambda;
    const float share = count == 0.0f ? 0.0f : kLambda / count;
    to[node].value = keep * from[node].value + share * sum.value;
  }
}

void WriteToVertices(const Adjacency& adjacency, const Padded* node_offsets, float* offsets,
                     size_t begin, size_t end) {
  float* offset = offsets + 3 * begin;
  for (size_t v = begin; v < end; ++v, offset += 3) {
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
  scratch.to.back() = Padded{};
  for (int i = 0; i < iterations; ++i) {
    system::ParallelFor(adjacency.node_count(), internal::kGrain, [&](size_t begin, size_t end) {
      Iterate(adjacency, scratch.from.data(), scratch.to.data(), begin, end);
    });
    scratch.from.swap(scratch.to);
  }
  system::ParallelFor(adjacency.vertex_count(), internal::kGrain, [&](size_t begin, size_t end) {
    WriteToVertices(adjacency, scratch.from.data(), offsets.data(), begin, end);
  });
}

void SmoothOffsets(const Adjacency& adjacency, int iterations, absl::Span<float> offsets) {
  SmoothingScratch scratch;
  SmoothOffsets(adjacency, iterations, offsets, scratch);
}

}  // namespace blendwire::mesh

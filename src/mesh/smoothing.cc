// SPDX-License-Identifier: Apache-2.0

#include "mesh/smoothing.h"

#include <cstddef>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/internal/node_layout.h"
#include "mesh/internal/node_offsets.h"
#include "system/parallel_for.h"

namespace blendwire::mesh {
namespace {

using internal::Float4;
using internal::NodeLayout;
using internal::Padded;

// How far an iteration goes from a node's own offset to its neighbours' mean.
constexpr float kLambda = 0.5f;

void Iterate(const NodeLayout& layout, const Padded* from, Padded* to, size_t begin, size_t end) {
  internal::ForEachNode(layout, from, begin, end,
                        [from, to](size_t node, float count, const Float4& sum) {
                          // A node without neighbours keeps its own.
                          const float keep = count == 0.0f ? 1.0f : 1.0f - kLambda;
                          const float share = count == 0.0f ? 0.0f : kLambda / count;
                          to[node].value = keep * from[node].value + share * sum;
                        });
}

void WriteToVertices(const NodeLayout& layout, const Padded* node_offsets, float* offsets,
                     size_t begin, size_t end) {
  float* offset = offsets + 3 * begin;
  for (size_t v = begin; v < end; ++v, offset += 3) {
    const Padded& node = node_offsets[layout.node_of[v]];
    for (size_t axis = 0; axis < 3; ++axis) offset[axis] = node.value[axis];
  }
}

}  // namespace

void SmoothOffsets(const Adjacency& adjacency, int iterations, absl::Span<float> offsets,
                   SmoothingScratch& scratch) {
  if (iterations <= 0 || offsets.empty()) return;
  const NodeLayout& layout = adjacency.layout();
  internal::AverageToNodes(layout, offsets, scratch.from);
  scratch.to.resize(scratch.from.size());
  for (int i = 0; i < iterations; ++i) {
    system::ParallelFor(adjacency.node_count(), internal::kGrain, [&](size_t begin, size_t end) {
      Iterate(layout, scratch.from.data(), scratch.to.data(), begin, end);
    });
    scratch.from.swap(scratch.to);
  }
  system::ParallelFor(adjacency.vertex_count(), internal::kGrain, [&](size_t begin, size_t end) {
    WriteToVertices(layout, scratch.from.data(), offsets.data(), begin, end);
  });
}

void SmoothOffsets(const Adjacency& adjacency, int iterations, absl::Span<float> offsets) {
  SmoothingScratch scratch;
  SmoothOffsets(adjacency, iterations, offsets, scratch);
}

}  // namespace blendwire::mesh

// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/node_offsets.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "system/parallel_for.h"

namespace blendwire::mesh::internal {

void AverageToNodes(const Adjacency& adjacency, absl::Span<const float> offsets,
                    std::vector<Padded>& node_offsets) {
  const size_t node_count = adjacency.node_count();
  node_offsets.resize(node_count + 1);
  node_offsets[node_count] = Padded{};
  const float* offset = offsets.data();  // a span checks each index
  if (!adjacency.has_welds()) {
    return system::ParallelFor(node_count, kGrain, [&](size_t begin, size_t end) {
      for (size_t v = begin; v < end; ++v) {
        const float* const own = offset + 3 * v;
        node_offsets[v].value = Float4{own[0], own[1], own[2], 0.0f};
      }
    });
  }
  // The fourth value counts the vertices until the sums are divided by it.
  std::fill(node_offsets.begin(), node_offsets.end(), Padded{});
  for (size_t v = 0; v < adjacency.vertex_count(); ++v, offset += 3) {
    Padded& sum = node_offsets[adjacency.node_of(v)];
    for (size_t axis = 0; axis < 3; ++axis) sum.value[axis] += offset[axis];
    sum.value[3] += 1.0f;
  }
  for (size_t node = 0; node < node_count; ++node) {
    Padded& sum = node_offsets[node];
    const float count = sum.value[3];
    sum.value[3] = 0.0f;
    if (count == 1.0f) continue;
    for (size_t axis = 0; axis < 3; ++axis) sum.value[axis] /= count;
  }
}

}  // namespace blendwire::mesh::internal

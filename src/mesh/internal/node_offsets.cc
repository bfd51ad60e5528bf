// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/node_offsets.h"

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "system/parallel_for.h"

namespace blendwire::mesh::internal {
namespace {

Float4 MeanOf(const float* offsets, const uint32_t* vertices, uint32_t count) {
  Float4 sum{};
  for (uint32_t i = 0; i < count; ++i) sum += Load(offsets + 3 * size_t{vertices[i]});
  return sum / static_cast<float>(count);
}

}  // namespace

void AverageToNodes(const NodeLayout& layout, absl::Span<const float> offsets,
                    std::vector<Padded>& node_offsets) {
  const size_t node_count = layout.first_vertex.size() - 1;
  node_offsets.resize(node_count);
  // Pointers: a span checks each index.
  const float* const from = offsets.data();
  Padded* const to = node_offsets.data();
  system::ParallelFor(node_count, kGrain, [&](size_t begin, size_t end) {
    for (size_t node = begin; node < end; ++node) {
      const uint32_t* const vertex = layout.vertices.data() + layout.first_vertex[node];
      const uint32_t count = layout.first_vertex[node + 1] - layout.first_vertex[node];
      to[node].value = Load(from + 3 * size_t{*vertex});
      if (count > 1) to[node].value = MeanOf(from, vertex, count);
    }
  });
}

}  // namespace blendwire::mesh::internal

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_
#define BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "mesh/internal/node_layout.h"

namespace blendwire::mesh::internal {

// Nodes, or vertices, of a piece of work for ParallelFor: 30 microseconds and more. A mesh of fewer
// is not worth a second thread.
inline constexpr size_t kGrain = 8192;
static_assert(kGrain % NodeLayout::kWindow == 0);

// Four floats in one register. GCC and Clang, which build this project, have such types, and do not
// find out by themselves that a loop over four floats is one instruction.
using Float4 __attribute__((vector_size(16))) = float;

// An offset with a fourth value that is always zero: never more than one cache line to fetch for a
// neighbour.
struct Padded {
  Float4 value;
};

inline Float4 Load(const float* offset) {
  return Float4{offset[0], offset[1], offset[2], 0.0f};
}

// Each node's offset: the mean over its vertices. `offsets` is [vertex_count,3] flattened;
// `node_offsets` gets node_count elements.
void AverageToNodes(const NodeLayout& layout, absl::Span<const float> offsets,
                    std::vector<Padded>& node_offsets);

// ForEachNode() for one run. With kDegree other than 0, which is its degree then, the compiler needs
// no inner loop.
template <uint32_t kDegree, typename Visit>
void VisitRun(const NodeLayout& layout, const NodeLayout::Run& run, const Padded* of_nodes,
              const Visit& visit) {
  const uint32_t degree = kDegree == 0 ? run.degree : kDegree;
  const auto count = static_cast<float>(degree);
  const uint32_t* neighbour = layout.neighbours.data() + run.first_neighbour;
  for (size_t node = run.begin; node < run.end; ++node, neighbour += degree) {
    Float4 sum{};
    for (uint32_t i = 0; i < degree; ++i) sum += of_nodes[neighbour[i]].value;
    visit(node, count, sum);
  }
}

// Calls visit(node, number of neighbours, sum of the neighbours' offsets) for each node of a piece
// that ParallelFor gives out by kGrain.
template <typename Visit>
void ForEachNode(const NodeLayout& layout, const Padded* of_nodes, size_t begin, size_t end,
                 const Visit& visit) {
  // Triangles seldom make more than 12 neighbours.
  const auto by_degree = []<uint32_t... kDegrees>(std::integer_sequence<uint32_t, kDegrees...>) {
    return std::array{&VisitRun<kDegrees, Visit>...};
  }(std::make_integer_sequence<uint32_t, 13>());
  const auto starts_before = [](const NodeLayout::Run& run, size_t node) { return run.begin < node; };
  auto run = std::lower_bound(layout.runs.begin(), layout.runs.end(), begin, starts_before);
  for (; run != layout.runs.end() && run->begin < end; ++run) {
    by_degree[run->degree < by_degree.size() ? run->degree : 0](layout, *run, of_nodes, visit);
  }
}

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_NODE_OFFSETS_H_

// SPDX-License-Identifier: Apache-2.0

#include "mesh/quality.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/internal/node_layout.h"
#include "mesh/internal/node_offsets.h"
#include "mesh/smoothing.h"
#include "system/parallel_for.h"

namespace blendwire::mesh {
namespace {

using internal::Float4;
using internal::NodeLayout;
using internal::Padded;

// As Float4: two doubles in one register.
using Double2 __attribute__((vector_size(16))) = double;
using Int2 __attribute__((vector_size(16))) = int64_t;

// What a piece of the nodes adds, every other vertex in the second place.
struct Sums {
  Double2 length{};
  Double2 largest_squared{};
  Double2 rough{};   // |d - m|^2
  Double2 energy{};  // |d|^2, over the same vertices
  Int2 extreme{};
};

// One vertex. One that is not there rests and has no neighbours.
struct Vertex {
  Float4 offset{};
  Float4 apart{};  // from the mean of its neighbours
  double has_neighbours = 0.0;
};

// Of two offsets. Doubles, which hold the squares of all floats.
inline Double2 SquaredLengths(const Float4& a, const Float4& b) {
  const Double2 x = __builtin_convertvector(__builtin_shufflevector(a, b, 0, 4), Double2);
  const Double2 y = __builtin_convertvector(__builtin_shufflevector(a, b, 1, 5), Double2);
  const Double2 z = __builtin_convertvector(__builtin_shufflevector(a, b, 2, 6), Double2);
  return x * x + y * y + z * z;
}

inline void Add(const Vertex& a, const Vertex& b, Sums& sums) {
  constexpr double kExtremeSquared = double{kExtremeDisplacement} * double{kExtremeDisplacement};
  const Double2 squared = SquaredLengths(a.offset, b.offset);
  const Double2 has_neighbours{a.has_neighbours, b.has_neighbours};
  sums.length += Double2{std::sqrt(squared[0]), std::sqrt(squared[1])};
  sums.largest_squared = sums.largest_squared > squared ? sums.largest_squared : squared;
  sums.extreme -= squared > kExtremeSquared;  // what is true is -1
  sums.rough += has_neighbours * SquaredLengths(a.apart, b.apart);
  sums.energy += has_neighbours * squared;
}

// [node] the mean offset of the node's neighbours, and, in the fourth place, 1; all zero for a node
// without any.
void MeanOfNeighbours(const NodeLayout& layout, const Padded* of_nodes, Padded* means, size_t begin,
                      size_t end) {
  internal::ForEachNode(layout, of_nodes, begin, end,
                        [means](size_t node, float count, const Float4& sum) {
                          means[node].value = (1.0f / std::max(count, 1.0f)) * sum;
                          means[node].value[3] = count == 0.0f ? 0.0f : 1.0f;
                        });
}

inline Vertex Apart(const Float4& own, const Float4& mean) {
  return {own, own - mean, double{mean[3]}};
}

// What the node's vertices add, one by one: their offsets need not be the node's.
void AddVertices(const NodeLayout& layout, const Padded* means, const float* offsets, size_t node,
                 Sums& sums) {
  for (uint32_t i = layout.first_vertex[node]; i < layout.first_vertex[node + 1]; ++i) {
    const Float4 own = internal::Load(offsets + 3 * size_t{layout.vertices[i]});
    Add(Apart(own, means[node].value), Vertex{}, sums);
  }
}

Sums SumUp(const NodeLayout& layout, const Padded* of_nodes, const Padded* means,
           const float* offsets, size_t begin, size_t end) {
  Sums sums;
  size_t node = begin;
  for (; node + 1 < end; node += 2) {
    // Each has a vertex, so both have only that, and its offset.
    if (layout.first_vertex[node + 2] - layout.first_vertex[node] == 2) {
      Add(Apart(of_nodes[node].value, means[node].value),
          Apart(of_nodes[node + 1].value, means[node + 1].value), sums);
    } else {
      AddVertices(layout, means, offsets, node, sums);
      AddVertices(layout, means, offsets, node + 1, sums);
    }
  }
  if (node < end) AddVertices(layout, means, offsets, node, sums);
  return sums;
}

double SumOf(const Double2& pair) { return pair[0] + pair[1]; }

}  // namespace

Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets,
                       SmoothingScratch& scratch) {
  if (offsets.empty()) return {};
  internal::AverageToNodes(adjacency.layout(), offsets, scratch.from);
  return MeasureLimitedQuality(adjacency, offsets, scratch);
}

Quality MeasureLimitedQuality(const Adjacency& adjacency, absl::Span<const float> offsets,
                              SmoothingScratch& scratch) {
  Quality quality;
  const size_t vertex_count = offsets.size() / 3;
  if (vertex_count == 0) return quality;
  const NodeLayout& layout = adjacency.layout();
  scratch.to.resize(scratch.from.size());
  const size_t node_count = adjacency.node_count();
  system::ParallelFor(node_count, internal::kGrain, [&](size_t begin, size_t end) {
    MeanOfNeighbours(layout, scratch.from.data(), scratch.to.data(), begin, end);
  });
  std::vector<Sums> pieces((node_count + internal::kGrain - 1) / internal::kGrain);
  system::ParallelFor(node_count, internal::kGrain, [&](size_t begin, size_t end) {
    pieces[begin / internal::kGrain] =
        SumUp(layout, scratch.from.data(), scratch.to.data(), offsets.data(), begin, end);
  });
  Sums all;
  double largest_squared = 0.0;
  for (const Sums& piece : pieces) {
    all.length += piece.length;
    all.rough += piece.rough;
    all.energy += piece.energy;
    all.extreme += piece.extreme;
    largest_squared =
        std::max({largest_squared, piece.largest_squared[0], piece.largest_squared[1]});
  }
  quality.mean_displacement =
      static_cast<float>(SumOf(all.length) / static_cast<double>(vertex_count));
  quality.max_displacement = static_cast<float>(std::sqrt(largest_squared));
  quality.extreme_vertices = static_cast<size_t>(all.extreme[0] + all.extreme[1]);
  if (const double energy = SumOf(all.energy); energy > 0.0) {
    quality.smoothness = static_cast<float>(std::max(0.0, 1.0 - SumOf(all.rough) / energy));
  }
  return quality;
}

Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets) {
  SmoothingScratch scratch;
  return MeasureQuality(adjacency, offsets, scratch);
}

}  // namespace blendwire::mesh

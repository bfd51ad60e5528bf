// SPDX-License-Identifier: Apache-2.0

#include "mesh/quality.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/internal/node_offsets.h"
#include "mesh/smoothing.h"
#include "system/parallel_for.h"

namespace blendwire::mesh {
namespace {

using internal::Float4;
using internal::Padded;

// As Float4: two doubles in one register.
using Double2 __attribute__((vector_size(16))) = double;
using Int2 __attribute__((vector_size(16))) = int64_t;

// What a piece of the vertices adds, every other vertex in the second place.
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

inline Vertex At(const Adjacency& adjacency, const Padded* of_nodes, const float* offset, size_t v) {
  const uint32_t node = adjacency.node_of(v);
  const auto count = static_cast<float>(adjacency.neighbours(node).size());
  const Padded sum = internal::SumOfNeighbours(adjacency, of_nodes, node);
  const Float4 own{offset[0], offset[1], offset[2], 0.0f};
  return {own, own - (1.0f / std::max(count, 1.0f)) * sum.value, count == 0.0f ? 0.0 : 1.0};
}

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

Sums SumUp(const Adjacency& adjacency, const Padded* of_nodes, const float* offsets, size_t begin,
           size_t end) {
  Sums sums;
  const float* offset = offsets + 3 * begin;
  for (size_t v = begin; v < end; v += 2, offset += 6) {
    const Vertex first = At(adjacency, of_nodes, offset, v);
    const Vertex second = v + 1 < end ? At(adjacency, of_nodes, offset + 3, v + 1) : Vertex{};
    Add(first, second, sums);
  }
  return sums;
}

double SumOf(const Double2& pair) { return pair[0] + pair[1]; }

}  // namespace

Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets,
                       SmoothingScratch& scratch) {
  Quality quality;
  const size_t vertex_count = offsets.size() / 3;
  if (vertex_count == 0) return quality;
  internal::AverageToNodes(adjacency, offsets, scratch.from);
  std::vector<Sums> pieces((vertex_count + internal::kGrain - 1) / internal::kGrain);
  system::ParallelFor(vertex_count, internal::kGrain, [&](size_t begin, size_t end) {
    pieces[begin / internal::kGrain] =
        SumUp(adjacency, scratch.from.data(), offsets.data(), begin, end);
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

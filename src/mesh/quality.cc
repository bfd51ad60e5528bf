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

using internal::Padded;

// What a piece of the vertices adds.
struct Sums {
  double length = 0.0;
  double largest_squared = 0.0;
  double rough = 0.0;   // |d - m|^2
  double energy = 0.0;  // |d|^2, over the same vertices
  size_t extreme = 0;
};

// [node] the mean offset of the node's neighbours; zero for a node without any.
void MeanOfNeighbours(const Adjacency& adjacency, const Padded* of_nodes, Padded* means,
                      size_t begin, size_t end) {
  for (size_t node = begin; node < end; ++node) {
    const size_t count = adjacency.neighbours(node).size();
    const Padded sum = internal::SumOfNeighbours(adjacency, of_nodes, node);
    const float share = 1.0f / static_cast<float>(std::max<size_t>(count, 1));
    means[node].value = share * sum.value;
  }
}

Sums SumUp(const Adjacency& adjacency, const Padded* means, const float* offsets, size_t begin,
           size_t end) {
  constexpr double kExtremeSquared = double{kExtremeDisplacement} * double{kExtremeDisplacement};
  Sums sums;
  const float* offset = offsets + 3 * begin;
  for (size_t v = begin; v < end; ++v, offset += 3) {
    const uint32_t node = adjacency.node_of(v);
    const Padded& mean = means[node];
    double squared = 0.0;
    double apart_squared = 0.0;
    for (size_t axis = 0; axis < 3; ++axis) {
      const double value = double{offset[axis]};
      const double apart = value - double{mean.value[axis]};
      squared += value * value;
      apart_squared += apart * apart;
    }
    sums.length += std::sqrt(squared);
    sums.largest_squared = std::max(sums.largest_squared, squared);
    if (squared > kExtremeSquared) ++sums.extreme;
    if (adjacency.neighbours(node).empty()) continue;
    sums.rough += apart_squared;
    sums.energy += squared;
  }
  return sums;
}

}  // namespace

Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets,
                       SmoothingScratch& scratch) {
  Quality quality;
  const size_t vertex_count = offsets.size() / 3;
  if (vertex_count == 0) return quality;
  internal::AverageToNodes(adjacency, offsets, scratch.from);
  scratch.to.resize(scratch.from.size());
  system::ParallelFor(adjacency.node_count(), internal::kGrain, [&](size_t begin, size_t end) {
    MeanOfNeighbours(adjacency, scratch.from.data(), scratch.to.data(), begin, end);
  });
  std::vector<Sums> pieces((vertex_count + internal::kGrain - 1) / internal::kGrain);
  system::ParallelFor(vertex_count, internal::kGrain, [&](size_t begin, size_t end) {
    pieces[begin / internal::kGrain] =
        SumUp(adjacency, scratch.to.data(), offsets.data(), begin, end);
  });
  Sums all;
  for (const Sums& piece : pieces) {
    all.length += piece.length;
    all.largest_squared = std::max(all.largest_squared, piece.largest_squared);
    all.rough += piece.rough;
    all.energy += piece.energy;
    all.extreme += piece.extreme;
  }
  quality.mean_displacement = static_cast<float>(all.length / static_cast<double>(vertex_count));
  quality.max_displacement = static_cast<float>(std::sqrt(all.largest_squared));
  quality.extreme_vertices = all.extreme;
  if (all.energy > 0.0) {
    quality.smoothness = static_cast<float>(std::max(0.0, 1.0 - all.rough / all.energy));
  }
  return quality;
}

Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets) {
  SmoothingScratch scratch;
  return MeasureQuality(adjacency, offsets, scratch);
}

}  // namespace blendwire::mesh

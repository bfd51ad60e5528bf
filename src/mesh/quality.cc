// SPDX-License-Identifier: Apache-2.0

#include "mesh/quality.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/internal/node_offsets.h"
#include "mesh/smoothing.h"

namespace blendwire::mesh {
namespace {

using internal::Padded;

// [node] the mean offset of the node's neighbours; zero for a node without any.
void MeanOfNeighbours(const Adjacency& adjacency, const Padded* of_nodes, Padded* means) {
  for (size_t node = 0; node < adjacency.node_count(); ++node) {
    const size_t count = adjacency.neighbours(node).size();
    const Padded sum = internal::SumOfNeighbours(adjacency, of_nodes, node);
    const float share = 1.0f / static_cast<float>(std::max<size_t>(count, 1));
    for (size_t i = 0; i < 4; ++i) means[node].value[i] = sum.value[i] * share;
  }
}

}  // namespace

Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets,
                       SmoothingScratch& scratch) {
  Quality quality;
  const size_t vertex_count = offsets.size() / 3;
  if (vertex_count == 0) return quality;
  internal::AverageToNodes(adjacency, offsets, scratch.from);
  scratch.to.resize(scratch.from.size());
  MeanOfNeighbours(adjacency, scratch.from.data(), scratch.to.data());

  double total_length = 0.0;
  double largest_squared = 0.0;
  double rough = 0.0;   // sum |d - m|^2
  double energy = 0.0;  // sum |d|^2, over the same vertices
  const float* offset = offsets.data();  // a span checks each index
  for (size_t v = 0; v < vertex_count; ++v, offset += 3) {
    const uint32_t node = adjacency.node_of(v);
    const Padded& mean = scratch.to[node];
    double squared = 0.0;
    double apart_squared = 0.0;
    for (size_t axis = 0; axis < 3; ++axis) {
      const double value = double{offset[axis]};
      const double apart = value - double{mean.value[axis]};
      squared += value * value;
      apart_squared += apart * apart;
    }
    const double length = std::sqrt(squared);
    total_length += length;
    largest_squared = std::max(largest_squared, squared);
    if (length > double{kExtremeDisplacement}) ++quality.extreme_vertices;
    if (adjacency.neighbours(node).empty()) continue;
    rough += apart_squared;
    energy += squared;
  }
  quality.mean_displacement = static_cast<float>(total_length / static_cast<double>(vertex_count));
  quality.max_displacement = static_cast<float>(std::sqrt(largest_squared));
  if (energy > 0.0) quality.smoothness = static_cast<float>(std::max(0.0, 1.0 - rough / energy));
  return quality;
}

Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets) {
  SmoothingScratch scratch;
  return MeasureQuality(adjacency, offsets, scratch);
}

}  // namespace blendwire::mesh

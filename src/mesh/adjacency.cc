// SPDX-License-Identifier: Apache-2.0

#include "mesh/adjacency.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "mesh/internal/weld.h"
#include "nanoflann.hpp"

namespace blendwire::mesh {
namespace {

struct Csr {
  std::vector<uint32_t> first;       // [node_count + 1]
  std::vector<uint32_t> neighbours;  // those of a node: from first[node] to first[node + 1]
};

// Sums up what each list has, said one place too far, to where each begins.
void SumUp(std::vector<uint32_t>& counts) {
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
}

// The undirected graph of the edges that `for_each_edge(visit)` reports as visit(a, b), twice over:
// once to count, once to fill. An edge may be reported more than once, in either direction. No list
// is sorted: what is handed out in the order of the nodes arrives in order.
template <typename ForEachEdge>
Csr BuildCsr(size_t node_count, const ForEachEdge& for_each_edge) {
  std::vector<uint32_t> first_higher(node_count + 1, 0);
  std::vector<uint32_t> first_lower(node_count + 1, 0);
  for_each_edge([&first_higher, &first_lower](uint32_t a, uint32_t b) {
    ++first_higher[std::min(a, b) + size_t{1}];
    ++first_lower[std::max(a, b) + size_t{1}];
  });
  SumUp(first_higher);
  SumUp(first_lower);
  // The neighbours above each node, in any order, some of them twice.
  std::vector<uint32_t> higher(first_higher.back());
  std::vector<uint32_t> end(first_higher);
  for_each_edge(
      [&higher, &end](uint32_t a, uint32_t b) { higher[end[std::min(a, b)]++] = std::max(a, b); });

  // Those below each node, in order, each once.
  Csr csr;
  csr.first.assign(node_count + 1, 0);
  std::vector<uint32_t> lower(first_lower.back());
  end = first_lower;
  for (uint32_t node = 0; node < node_count; ++node) {
    for (uint32_t i = first_higher[node]; i < first_higher[node + 1]; ++i) {
      const uint32_t other = higher[i];
      if (end[other] > first_lower[other] && lower[end[other] - 1] == node) continue;
      lower[end[other]++] = node;
      ++csr.first[node + size_t{1}];
      ++csr.first[other + size_t{1}];
    }
  }

  SumUp(csr.first);
  csr.neighbours.resize(csr.first.back());
  std::vector<uint32_t> next(csr.first);
  for (uint32_t node = 0; node < node_count; ++node) {
    for (uint32_t i = first_lower[node]; i < end[node]; ++i) {
      csr.neighbours[next[node]++] = lower[i];
      csr.neighbours[next[lower[i]]++] = node;
    }
  }
  return csr;
}

// What nanoflann wants to know about a set of points.
struct NodePositions {
  absl::Span<const float> vertices;
  const std::vector<uint32_t>& first_vertex;

  size_t kdtree_get_point_count() const { return first_vertex.size(); }
  double kdtree_get_pt(size_t node, size_t axis) const {
    return double{vertices[3 * size_t{first_vertex[node]} + axis]};
  }
  template <typename Box>
  bool kdtree_get_bbox(Box&) const {
    return false;
  }
};

// In double, where the square of a finite float is finite.
using KdTree = nanoflann::KDTreeSingleIndexAdaptor<
    nanoflann::L2_Simple_Adaptor<double, NodePositions, double, uint32_t>, NodePositions, 3,
    uint32_t>;

}  // namespace

Adjacency Adjacency::FromTriangles(absl::Span<const float> vertices,
                                   absl::Span<const uint32_t> triangles) {
  Adjacency adjacency;
  internal::Weld weld = internal::WeldVertices(vertices, triangles);
  const std::vector<uint32_t>& node_of = weld.node_of;
  Csr csr = BuildCsr(weld.first_vertex.size(), [&node_of, triangles](auto visit) {
    for (size_t t = 0; t + 2 < triangles.size(); t += 3) {
      const uint32_t a = node_of[triangles[t]];
      const uint32_t b = node_of[triangles[t + 1]];
      const uint32_t c = node_of[triangles[t + 2]];
      if (a != b) visit(a, b);
      if (b != c) visit(b, c);
      if (c != a) visit(c, a);
    }
  });
  adjacency.node_of_ = std::move(weld.node_of);
  adjacency.first_ = std::move(csr.first);
  adjacency.neighbours_ = std::move(csr.neighbours);
  adjacency.layout_ =
      internal::NodeLayout::Of(adjacency.node_of_, adjacency.first_, adjacency.neighbours_);
  return adjacency;
}

Adjacency Adjacency::FromNearestNeighbours(absl::Span<const float> vertices, size_t k) {
  Adjacency adjacency;
  internal::Weld weld = internal::WeldVertices(vertices, {});
  const size_t node_count = weld.first_vertex.size();
  if (node_count == 0) return adjacency;

  const NodePositions positions{vertices, weld.first_vertex};
  const KdTree tree(3, positions, nanoflann::KDTreeSingleIndexAdaptorParams(16));
  // A node finds itself first, so one more than k. Positions of different nodes differ, so no other
  // node is at distance 0 and crowds it out.
  const size_t wanted = std::min(std::max<size_t>(k, 1) + 1, node_count);
  std::vector<uint32_t> found(node_count * wanted);
  std::vector<double> distances(wanted);
  for (size_t node = 0; node < node_count; ++node) {
    const double point[3] = {positions.kdtree_get_pt(node, 0), positions.kdtree_get_pt(node, 1),
                             positions.kdtree_get_pt(node, 2)};
    tree.knnSearch(point, wanted, &found[node * wanted], distances.data());
  }
  Csr csr = BuildCsr(node_count, [&found, node_count, wanted](auto visit) {
    for (size_t node = 0; node < node_count; ++node) {
      for (size_t i = 0; i < wanted; ++i) {
        const uint32_t neighbour = found[node * wanted + i];
        if (neighbour != node) visit(static_cast<uint32_t>(node), neighbour);
      }
    }
  });
  adjacency.node_of_ = std::move(weld.node_of);
  adjacency.first_ = std::move(csr.first);
  adjacency.neighbours_ = std::move(csr.neighbours);
  adjacency.layout_ =
      internal::NodeLayout::Of(adjacency.node_of_, adjacency.first_, adjacency.neighbours_);
  return adjacency;
}

size_t Adjacency::memory_bytes() const {
  return (node_of_.capacity() + first_.capacity() + neighbours_.capacity()) * sizeof(uint32_t) +
         layout_.memory_bytes();
}

}  // namespace blendwire::mesh

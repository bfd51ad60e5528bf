// SPDX-License-Identifier: Apache-2.0

#include "mesh/adjacency.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "mesh/internal/weld.h"
#include "nanoflann.hpp"

namespace blendwire::mesh {
namespace {

struct Csr {
  std::vector<uint32_t> first;
  std::vector<uint32_t> neighbours;
};

// Sorts each node's neighbours and drops what is there twice, in place.
void MakeUnique(Csr& csr) {
  uint32_t kept = 0;
  uint32_t begin = 0;
  for (size_t node = 0; node + 1 < csr.first.size(); ++node) {
    const uint32_t end = csr.first[node + 1];
    const auto from = csr.neighbours.begin() + begin;
    const auto to = csr.neighbours.begin() + end;
    std::sort(from, to);
    const auto unique_end = std::unique(from, to);
    const auto target = csr.neighbours.begin() + kept;
    if (target != from) std::copy(from, unique_end, target);
    kept += static_cast<uint32_t>(unique_end - from);
    begin = end;
    csr.first[node + 1] = kept;
  }
  csr.neighbours.resize(kept);
}

// The undirected graph of the edges that `for_each_edge(visit)` reports as visit(a, b), twice over:
// once to count, once to fill. An edge may be reported more than once.
template <typename ForEachEdge>
Csr BuildCsr(size_t node_count, const ForEachEdge& for_each_edge) {
  Csr csr;
  // cursor[node + 1] first says where the node's neighbours begin, then, advanced by the filling,
  // where they end: which is where those of node + 1 begin.
  std::vector<uint32_t> cursor(node_count + 2, 0);
  for_each_edge([&cursor](uint32_t a, uint32_t b) {
    ++cursor[a + 2];
    ++cursor[b + 2];
  });
  for (size_t i = 2; i < cursor.size(); ++i) cursor[i] += cursor[i - 1];
  csr.neighbours.resize(cursor.back());
  for_each_edge([&cursor, &csr](uint32_t a, uint32_t b) {
    csr.neighbours[cursor[a + 1]++] = b;
    csr.neighbours[cursor[b + 1]++] = a;
  });
  cursor.pop_back();
  csr.first = std::move(cursor);
  MakeUnique(csr);
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

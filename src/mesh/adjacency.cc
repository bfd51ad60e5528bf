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

// The neighbours of an undirected graph in ascending order, each once and filled up to whole blocks
// (Adjacency::padded_neighbours); `counts` becomes how many each node has. Where an edge is in both
// its nodes' lists, handing every node, in turn, to those in its list sorts all lists at once.
Csr SortedAndPadded(const Csr& csr, std::vector<uint32_t>& counts) {
  constexpr uint32_t kBlock = Adjacency::kBlock;
  const auto node_count = static_cast<uint32_t>(csr.first.size() - 1);
  counts.assign(node_count, 0);
  std::vector<uint32_t> sorted(csr.neighbours.size());
  for (uint32_t node = 0; node < node_count; ++node) {
    for (uint32_t i = csr.first[node]; i < csr.first[node + 1]; ++i) {
      const uint32_t other = csr.neighbours[i];
      uint32_t* const list = sorted.data() + csr.first[other];
      uint32_t& count = counts[other];
      if (count == 0 || list[count - 1] != node) list[count++] = node;
    }
  }
  Csr padded;
  padded.first.resize(node_count + 1);
  for (uint32_t node = 0; node < node_count; ++node) {
    padded.first[node + 1] = padded.first[node] + (counts[node] + kBlock - 1) / kBlock * kBlock;
  }
  padded.neighbours.resize(padded.first.back(), node_count);
  for (uint32_t node = 0; node < node_count; ++node) {
    std::copy_n(sorted.begin() + csr.first[node], counts[node],
                padded.neighbours.begin() + padded.first[node]);
  }
  return padded;
}

// The undirected graph of the edges that `for_each_edge(visit)` reports as visit(a, b), twice over:
// once to count, once to fill. An edge may be reported more than once, and is there as often.
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
  const Csr edges = BuildCsr(weld.first_vertex.size(), [&node_of, triangles](auto visit) {
    for (size_t t = 0; t + 2 < triangles.size(); t += 3) {
      const uint32_t a = node_of[triangles[t]];
      const uint32_t b = node_of[triangles[t + 1]];
      const uint32_t c = node_of[triangles[t + 2]];
      if (a != b) visit(a, b);
      if (b != c) visit(b, c);
      if (c != a) visit(c, a);
    }
  });
  Csr csr = SortedAndPadded(edges, adjacency.count_);
  adjacency.node_of_ = std::move(weld.node_of);
  adjacency.first_ = std::move(csr.first);
  adjacency.neighbours_ = std::move(csr.neighbours);
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
  const Csr edges = BuildCsr(node_count, [&found, node_count, wanted](auto visit) {
    for (size_t node = 0; node < node_count; ++node) {
      for (size_t i = 0; i < wanted; ++i) {
        const uint32_t neighbour = found[node * wanted + i];
        if (neighbour != node) visit(static_cast<uint32_t>(node), neighbour);
      }
    }
  });
  Csr csr = SortedAndPadded(edges, adjacency.count_);
  adjacency.node_of_ = std::move(weld.node_of);
  adjacency.first_ = std::move(csr.first);
  adjacency.neighbours_ = std::move(csr.neighbours);
  return adjacency;
}

size_t Adjacency::memory_bytes() const {
  return (node_of_.capacity() + first_.capacity() + count_.capacity() + neighbours_.capacity()) *
         sizeof(uint32_t);
}

}  // namespace blendwire::mesh

// SPDX-License-Identifier: Apache-2.0

#include "mesh/stretch.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/types/span.h"
#include "mesh/internal/node_layout.h"
#include "mesh/internal/node_offsets.h"
#include "mesh/internal/surface.h"
#include "system/parallel_for.h"

namespace blendwire::mesh {
namespace {

using internal::At;
using internal::Dot;
using internal::Minus;
using internal::NodeLayout;
using internal::Padded;
using internal::Plus;
using internal::Vector;

constexpr int kRounds = 16;
constexpr int kRings = 2;              // of nodes around an edge that may move with its ends
constexpr double kMostChange = 0.25;   // of the longest offset among the nodes that may move
constexpr double kTolerance = 1.0001;  // an edge that is just as long as it may be is not too long

struct Pair {
  uint32_t a;
  uint32_t b;
};

Vector PositionOf(const NodeLayout& layout, absl::Span<const float> vertices, uint32_t node) {
  return At(vertices, layout.vertices[layout.first_vertex[node]]);
}

Vector OffsetOf(const Padded& padded) {
  return {double{padded.value[0]}, double{padded.value[1]}, double{padded.value[2]}};
}

double LengthOf(const Vector& v) { return std::sqrt(Dot(v, v)); }

// The neighbours of a node of the layout.
absl::Span<const uint32_t> NeighboursOf(const NodeLayout& layout, uint32_t node) {
  const auto after = std::upper_bound(
      layout.runs.begin(), layout.runs.end(), node,
      [](uint32_t wanted, const NodeLayout::Run& run) { return wanted < run.begin; });
  const NodeLayout::Run& run = *std::prev(after);
  const size_t at = run.first_neighbour + size_t{node - run.begin} * run.degree;
  return absl::MakeConstSpan(layout.neighbours).subspan(at, run.degree);
}

// Finds the edges that are too long. An edge can only be if its ends' offsets differ by more than
// most - 1 lengths, so one of them must be longer than half of that, which few are.
class Search {
 public:
  Search(const NodeLayout& layout, const ShortestEdges& edges, absl::Span<const float> vertices,
         float most, const Padded* offsets)
      : layout_(layout),
        shortest_(edges.squared().data()),
        vertices_(vertices),
        offsets_(offsets),
        factor_((most - 1.0f) * (most - 1.0f)),
        limit_(double{most} * double{most} * kTolerance * kTolerance) {}

  // Those of the nodes [begin, end), but for edges that another node's search finds.
  void Find(size_t begin, size_t end, std::vector<Pair>& found) const {
    for (size_t i = begin; i < end; ++i) {
      const auto node = static_cast<uint32_t>(i);
      const internal::Float4 own = offsets_[node].value;
      if (Within(own, 0.25f * factor_ * shortest_[node])) continue;
      for (const uint32_t other : NeighboursOf(layout_, node)) {
        const internal::Float4 theirs = offsets_[other].value;
        if (Within(own - theirs, factor_ * shortest_[node])) continue;
        if (other < node && !Within(theirs, 0.25f * factor_ * shortest_[other])) continue;
        const Vector rest =
            Minus(PositionOf(layout_, vertices_, node), PositionOf(layout_, vertices_, other));
        const Vector now = Plus(rest, Minus(OffsetOf(offsets_[node]), OffsetOf(offsets_[other])));
        if (Dot(now, now) > limit_ * Dot(rest, rest)) found.push_back({node, other});
      }
    }
  }

 private:
  // Not the other way round: the square may be infinite.
  static bool Within(const internal::Float4& offset, float squared) {
    const internal::Float4 squares = offset * offset;
    return squares[0] + squares[1] + squares[2] <= squared;
  }

  const NodeLayout& layout_;
  const float* shortest_;
  absl::Span<const float> vertices_;
  const Padded* offsets_;
  float factor_;
  double limit_;
};

// The surroundings of edges that are too long, with numbers of its own.
class Patch {
 public:
  Patch(const NodeLayout& layout, absl::Span<const float> vertices, const Padded* offsets,
        absl::Span<const Pair> too_long)
      : place_(layout.first_vertex.size() - 1, kNone) {
    for (const Pair& edge : too_long) {
      Add(edge.a);
      Add(edge.b);
    }
    // Ring after ring; the last one stays where it is.
    size_t begin = 0;
    for (int ring = 0; ring <= kRings; ++ring) {
      const size_t end = nodes_.size();
      for (; begin < end; ++begin) {
        for (const uint32_t neighbour : NeighboursOf(layout, nodes_[begin])) Add(neighbour);
      }
      if (ring < kRings) movable_ = nodes_.size();
    }
    for (const uint32_t node : nodes_) own_.push_back(OffsetOf(offsets[node]));
    for (uint32_t a = 0; a < movable_; ++a) {
      for (const uint32_t neighbour : NeighboursOf(layout, nodes_[a])) {
        const uint32_t b = place_[neighbour];
        if (b < a) continue;
        const Vector rest =
            Minus(PositionOf(layout, vertices, nodes_[a]), PositionOf(layout, vertices, neighbour));
        edges_.push_back({a, b, rest, LengthOf(rest)});
      }
    }
  }

  void Relax(double most) {
    moved_ = own_;
    double longest = 0.0;
    for (size_t i = 0; i < movable_; ++i) longest = std::max(longest, LengthOf(own_[i]));
    std::vector<Vector> wanted(nodes_.size());
    std::vector<int> voices(nodes_.size());
    for (int round = 0; round < kRounds; ++round) {
      std::fill(wanted.begin(), wanted.end(), Vector{});
      std::fill(voices.begin(), voices.end(), 0);
      if (!AskAround(most, wanted, voices)) return;
      for (size_t i = 0; i < movable_; ++i) {
        if (voices[i] > 0) Move(i, wanted[i], voices[i], kMostChange * longest);
      }
    }
  }

  // What Relax() changed about the nodes, to the offsets of their vertices and to their own.
  void WriteChanges(const NodeLayout& layout, absl::Span<float> offsets,
                    Padded* node_offsets) const {
    for (size_t i = 0; i < movable_; ++i) {
      const Vector change = Minus(moved_[i], own_[i]);
      if (change == Vector{}) continue;
      const uint32_t node = nodes_[i];
      for (uint32_t k = layout.first_vertex[node]; k < layout.first_vertex[node + 1]; ++k) {
        float* const offset = offsets.data() + 3 * size_t{layout.vertices[k]};
        for (size_t axis = 0; axis < 3; ++axis) {
          offset[axis] = static_cast<float>(double{offset[axis]} + change[axis]);
        }
      }
      for (int axis = 0; axis < 3; ++axis) {
        node_offsets[node].value[axis] = static_cast<float>(moved_[i][static_cast<size_t>(axis)]);
      }
    }
  }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  struct Edge {
    uint32_t a;  // may move
    uint32_t b;
    Vector rest;
    double length;
  };

  void Add(uint32_t node) {
    if (place_[node] != kNone) return;
    place_[node] = static_cast<uint32_t>(nodes_.size());
    nodes_.push_back(node);
  }

  // Sums up by how much each node should move; false if all edges are short enough.
  bool AskAround(double most, std::vector<Vector>& wanted, std::vector<int>& voices) const {
    bool any = false;
    for (const Edge& edge : edges_) {
      const Vector now = Plus(edge.rest, Minus(moved_[edge.a], moved_[edge.b]));
      const double length = LengthOf(now);
      if (!(length > most * kTolerance * edge.length)) continue;
      any = true;
      const bool both = edge.b < movable_;
      const double share = (both ? 0.5 : 1.0) * (1.0 - most * edge.length / length);
      wanted[edge.a] = Plus(wanted[edge.a], now, -share);
      ++voices[edge.a];
      if (!both) continue;
      wanted[edge.b] = Plus(wanted[edge.b], now, share);
      ++voices[edge.b];
    }
    return any;
  }

  void Move(size_t i, const Vector& wanted, int voices, double most_change) {
    moved_[i] = Plus(moved_[i], wanted, 1.0 / voices);
    const Vector change = Minus(moved_[i], own_[i]);
    const double length = LengthOf(change);
    if (length > most_change) moved_[i] = Plus(own_[i], change, most_change / length);
  }

  std::vector<uint32_t> place_;  // of each of the mesh's nodes, in nodes_
  std::vector<uint32_t> nodes_;
  size_t movable_ = 0;  // so many, the first
  std::vector<Vector> own_;
  std::vector<Vector> moved_;
  std::vector<Edge> edges_;
};

}  // namespace

ShortestEdges ShortestEdges::Build(const Adjacency& adjacency, absl::Span<const float> vertices) {
  ShortestEdges edges;
  const NodeLayout& layout = adjacency.layout();
  edges.squared_.resize(adjacency.node_count(), std::numeric_limits<float>::infinity());
  for (const NodeLayout::Run& run : layout.runs) {
    const uint32_t* neighbour = layout.neighbours.data() + run.first_neighbour;
    for (uint32_t node = run.begin; node < run.end; ++node, neighbour += run.degree) {
      const Vector position = PositionOf(layout, vertices, node);
      for (uint32_t i = 0; i < run.degree; ++i) {
        const Vector apart = Minus(position, PositionOf(layout, vertices, neighbour[i]));
        edges.squared_[node] =
            std::min(edges.squared_[node], static_cast<float>(Dot(apart, apart)));
      }
    }
  }
  return edges;
}

size_t LimitStretch(const Adjacency& adjacency, const ShortestEdges& edges,
                    absl::Span<const float> vertices, float most, absl::Span<float> offsets,
                    SmoothingScratch& scratch) {
  if (offsets.empty()) return 0;
  const NodeLayout& layout = adjacency.layout();
  internal::AverageToNodes(layout, offsets, scratch.from);
  if (edges.squared().empty()) return 0;
  const Search search(layout, edges, vertices, most, scratch.from.data());
  const size_t node_count = adjacency.node_count();
  std::vector<std::vector<Pair>> pieces((node_count + internal::kGrain - 1) / internal::kGrain);
  system::ParallelFor(node_count, internal::kGrain, [&](size_t begin, size_t end) {
    search.Find(begin, end, pieces[begin / internal::kGrain]);
  });
  std::vector<Pair> too_long;
  for (const std::vector<Pair>& piece : pieces) {
    too_long.insert(too_long.end(), piece.begin(), piece.end());
  }
  if (too_long.empty()) return 0;
  Patch patch(layout, vertices, scratch.from.data(), too_long);
  patch.Relax(double{most});
  patch.WriteChanges(layout, offsets, scratch.from.data());
  return too_long.size();
}

}  // namespace blendwire::mesh

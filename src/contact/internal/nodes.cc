// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/nodes.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace blendwire::contact::internal {
namespace {

constexpr size_t kSurest = 12;
constexpr size_t kRings = 32;  // within the limit of a walk
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

double MeanOfLargest(absl::Span<const float> values) {
  std::vector<float> largest(std::min(kSurest, values.size()));
  if (largest.empty()) return 0.0;
  std::partial_sort_copy(values.begin(), values.end(), largest.begin(), largest.end(),
                         std::greater<>());
  const double sum = std::accumulate(largest.begin(), largest.end(), 0.0);
  return sum / static_cast<double>(largest.size());
}

void FindPieces(Nodes& nodes) {
  nodes.piece.assign(nodes.count(), kNone);
  std::vector<uint32_t> open;
  uint32_t piece = 0;
  for (uint32_t start = 0; start < nodes.count(); ++start) {
    if (nodes.piece[start] != kNone) continue;
    nodes.piece[start] = piece;
    nodes.piece_sizes.push_back(1);
    open.assign(1, start);
    while (!open.empty()) {
      const uint32_t node = open.back();
      open.pop_back();
      for (const uint32_t next : nodes.neighbours(node)) {
        if (nodes.piece[next] != kNone) continue;
        nodes.piece[next] = piece;
        ++nodes.piece_sizes.back();
        open.push_back(next);
      }
    }
    ++piece;
  }
}

}  // namespace

Nodes MakeNodes(const Surface& surface, absl::Span<const float> margins) {
  Nodes nodes{.positions = std::vector<Vector>(surface.node_count),
              .margins = {},
              .certainty = {},
              .piece = {},
              .piece_sizes = {},
              .neighbours = surface.neighbours};
  for (auto& column : nodes.margins) column.assign(surface.node_count, 0.0f);
  for (size_t v = surface.node_of.size();
       v-- > 0;) {  // the first vertex of a node has the last say
    const uint32_t node = surface.node_of[v];
    nodes.positions[node] = {double{surface.vertices[3 * v]}, double{surface.vertices[3 * v + 1]},
                             double{surface.vertices[3 * v + 2]}};
    for (size_t m = 0; m < kMargins; ++m) {
      float& margin = nodes.margins[m][node];
      margin = std::max(margin, margins[kMargins * v + m]);
    }
  }
  for (size_t m = 0; m < kMargins; ++m) {
    nodes.certainty[m] = MeanOfLargest(nodes.margins[m]);
    const auto scale = static_cast<float>(1.0 / std::max(nodes.certainty[m], 0.05));
    for (float& margin : nodes.margins[m]) margin = std::min(margin * scale, 1.0f);
  }
  FindPieces(nodes);
  return nodes;
}

struct SurfaceGraph::Walked {
  std::vector<double> distances;
  std::vector<uint32_t> before;  // the node from which each was reached, kNone for a seed
};

SurfaceGraph::SurfaceGraph(const Nodes& nodes, absl::Span<const uint32_t> members) {
  std::vector<uint32_t> place(nodes.count(), kNone);
  for (uint32_t i = 0; i < members.size(); ++i) place[members[i]] = i;
  first_.reserve(members.size() + 1);
  first_.push_back(0);
  for (const uint32_t node : members) {
    for (const uint32_t next : nodes.neighbours(node)) {
      if (place[next] == kNone) continue;
      edges_.push_back({place[next], Length(nodes.positions[next] - nodes.positions[node])});
    }
    first_.push_back(static_cast<uint32_t>(edges_.size()));
  }
}

// Dijkstra's algorithm from all seeds at once, as far as `to`, or everywhere if that is kNone. The
// open nodes lie in rings around the seeds, in any order within one: a node that gets nearer while
// its ring is walked is walked from again, which costs less than to keep all in order.
SurfaceGraph::Walked SurfaceGraph::Walk(absl::Span<const uint32_t> seeds, uint32_t to,
                                        double limit) const {
  struct Open {
    double distance;
    uint32_t node;
  };
  const size_t count = first_.size() - 1;
  Walked walked{std::vector<double>(count, limit), std::vector<uint32_t>(count, kNone)};
  std::vector<std::vector<Open>> rings(kRings);
  const double last = static_cast<double>(rings.size()) - 1.0;
  const auto ring_of = [limit, last](double distance) {
    return static_cast<size_t>(std::min(last, (last + 1.0) * (distance / limit)));
  };
  for (const uint32_t seed : seeds) {
    walked.distances[seed] = 0.0;
    rings[0].push_back({0.0, seed});
  }
  for (size_t ring = 0; ring < rings.size(); ++ring) {
    if (to != kNone && ring > ring_of(walked.distances[to])) break;
    for (size_t i = 0; i < rings[ring].size(); ++i) {  // grows
      const Open open = rings[ring][i];
      if (open.distance > walked.distances[open.node]) continue;
      for (uint32_t e = first_[open.node]; e < first_[open.node + 1]; ++e) {
        const Edge& edge = edges_[e];
        const double through = open.distance + edge.length;
        if (through >= walked.distances[edge.to]) continue;
        walked.distances[edge.to] = through;
        walked.before[edge.to] = open.node;
        rings[ring_of(through)].push_back({through, edge.to});
      }
    }
  }
  return walked;
}

std::vector<double> SurfaceGraph::Distances(absl::Span<const uint32_t> seeds, double limit) const {
  return Walk(seeds, kNone, limit).distances;
}

std::vector<uint32_t> SurfaceGraph::Path(uint32_t from, uint32_t to, double limit) const {
  const Walked walked = Walk({&from, 1}, to, limit);
  std::vector<uint32_t> path;
  if (walked.distances[to] >= limit) return path;
  for (uint32_t node = to; node != kNone; node = walked.before[node]) path.push_back(node);
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace blendwire::contact::internal

// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/nodes.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <queue>
#include <utility>

namespace blendwire::contact::internal {
namespace {

constexpr size_t kSurest = 12;
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

double MeanOfLargest(std::vector<float> values) {
  const size_t count = std::min(kSurest, values.size());
  if (count == 0) return 0.0;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count - 1),
                   values.end(), std::greater<>());
  double sum = 0.0;
  for (size_t i = 0; i < count; ++i) sum += double{values[i]};
  return sum / static_cast<double>(count);
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

struct Walked {
  std::vector<double> distances;
  std::vector<uint32_t> before;  // the member from which each was reached, kNone for a seed
};

// Dijkstra's algorithm from all seeds at once, over the members only.
Walked Walk(const Nodes& nodes, absl::Span<const uint32_t> members,
            absl::Span<const uint32_t> seeds, double limit) {
  std::vector<uint32_t> index(nodes.count(), kNone);
  for (uint32_t i = 0; i < members.size(); ++i) index[members[i]] = i;
  Walked walked{std::vector<double>(members.size(), limit),
                std::vector<uint32_t>(members.size(), kNone)};
  using Entry = std::pair<double, uint32_t>;
  std::priority_queue<Entry, std::vector<Entry>, std::greater<>> open;
  for (const uint32_t seed : seeds) {
    walked.distances[seed] = 0.0;
    open.emplace(0.0, seed);
  }
  while (!open.empty()) {
    const auto [distance, member] = open.top();
    open.pop();
    if (distance > walked.distances[member]) continue;
    const uint32_t node = members[member];
    for (const uint32_t next_node : nodes.neighbours(node)) {
      const uint32_t next = index[next_node];
      if (next == kNone) continue;
      const double through = distance + Length(nodes.positions[next_node] - nodes.positions[node]);
      if (through >= walked.distances[next]) continue;
      walked.distances[next] = through;
      walked.before[next] = member;
      open.emplace(through, next);
    }
  }
  return walked;
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

std::vector<double> SurfaceDistances(const Nodes& nodes, absl::Span<const uint32_t> members,
                                     absl::Span<const uint32_t> seeds, double limit) {
  return Walk(nodes, members, seeds, limit).distances;
}

std::vector<uint32_t> SurfacePath(const Nodes& nodes, absl::Span<const uint32_t> members,
                                  uint32_t from, uint32_t to, double limit) {
  const Walked walked = Walk(nodes, members, {&from, 1}, limit);
  std::vector<uint32_t> path;
  if (walked.distances[to] >= limit) return path;
  for (uint32_t member = to; member != kNone; member = walked.before[member]) {
    path.push_back(member);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace blendwire::contact::internal

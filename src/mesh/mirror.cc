// SPDX-License-Identifier: Apache-2.0

#include "mesh/mirror.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "mesh/internal/mirror_plane.h"
#include "mesh/internal/parts.h"
#include "mesh/internal/point_grid.h"
#include "mesh/internal/surface.h"
#include "system/parallel_for.h"

namespace blendwire::mesh {
namespace {

using internal::Dot;
using internal::Minus;
using internal::Mirrored;
using internal::PointGrid;
using internal::Vector;

constexpr uint32_t kNone = MirrorMap::kNoPartner;
constexpr double kTolerance = 2e-4;      // of the bounding box's diagonal
constexpr double kPartShare = 0.8;       // of a symmetric part's nodes have partners
constexpr double kSymmetricShare = 0.5;  // of a mesh's nodes are in symmetric parts

constexpr size_t kSearchGrain = 2048;  // nodes

// A node is where its first vertex is.
struct Nodes {
  std::vector<uint32_t> first_vertex;
  std::vector<Vector> positions;
  Vector low;
  Vector high;

  Nodes(const Adjacency& adjacency, absl::Span<const float> vertices)
      : low(internal::At(vertices, 0)), high(low) {
    first_vertex.reserve(adjacency.node_count());
    positions.reserve(adjacency.node_count());
    for (size_t v = 0; v < adjacency.vertex_count(); ++v) {
      if (adjacency.node_of(v) != first_vertex.size()) continue;
      first_vertex.push_back(static_cast<uint32_t>(v));
      const Vector position = internal::At(vertices, v);
      positions.push_back(position);
      for (size_t axis = 0; axis < 3; ++axis) {
        low[axis] = std::min(low[axis], position[axis]);
        high[axis] = std::max(high[axis], position[axis]);
      }
    }
  }

  double diagonal() const { return std::sqrt(Dot(Minus(high, low), Minus(high, low))); }
};

// For each node the node that is most like its mirror image, by place and normal.
std::vector<uint32_t> BestPartners(const Nodes& nodes, absl::Span<const float> normals,
                                   const PointGrid& grid, double plane, double reach) {
  std::vector<uint32_t> best(nodes.positions.size(), kNone);
  const auto find = [&](size_t node) {
    Vector facing = internal::At(normals, nodes.first_vertex[node]);
    facing[0] = -facing[0];
    double least = 0.0;
    const auto consider = [&](uint32_t other, double squared) {
      const double dot = Dot(facing, internal::At(normals, nodes.first_vertex[other]));
      if (dot < 0.0) return;
      const double unlike = squared / (reach * reach) + 1.0 - dot;
      uint32_t& found = best[node];
      if (found != kNone && (unlike > least || (unlike == least && other > found))) return;
      found = other;
      least = unlike;
    };
    grid.ForEachNear(Mirrored(nodes.positions[node], plane), consider);
  };
  system::ParallelFor(best.size(), kSearchGrain, [&](size_t begin, size_t end) {
    for (size_t node = begin; node < end; ++node) find(node);
  });
  return best;
}

// Only those count that are each other's. Two sheets may lie on one another: then the partner's
// partner may be the other sheet.
std::vector<uint32_t> MutualPartners(const Nodes& nodes, const std::vector<uint32_t>& best,
                                     double reach) {
  std::vector<uint32_t> mutual(best.size(), kNone);
  for (size_t node = 0; node < best.size(); ++node) {
    const uint32_t back = best[node] == kNone ? kNone : best[best[node]];
    if (back == kNone) continue;
    const Vector apart = Minus(nodes.positions[back], nodes.positions[node]);
    if (back == node || Dot(apart, apart) <= reach * reach) mutual[node] = best[node];
  }
  return mutual;
}

// Drops the partners of nodes in parts that are not symmetric, and returns the nodes without a
// partner in those that are.
std::vector<uint32_t> KeepSymmetricParts(const Adjacency& adjacency,
                                         std::vector<uint32_t>& partners) {
  const internal::Parts parts = internal::Parts::Of(adjacency);
  std::vector<uint32_t> alone;
  size_t symmetric = 0;
  for (size_t part = 0; part < parts.size(); ++part) {
    const absl::Span<const uint32_t> nodes = parts[part];
    const auto has_partner = [&](uint32_t node) { return partners[node] != kNone; };
    const auto paired = std::count_if(nodes.begin(), nodes.end(), has_partner);
    if (static_cast<double>(paired) < kPartShare * static_cast<double>(nodes.size())) {
      for (const uint32_t node : nodes) partners[node] = kNone;
      continue;
    }
    symmetric += nodes.size();
    for (const uint32_t node : nodes) {
      if (!has_partner(node)) alone.push_back(node);
    }
  }
  if (static_cast<double>(symmetric) < kSymmetricShare * static_cast<double>(partners.size())) {
    partners.clear();
  }
  return alone;
}

// The nodes that follow others, ring by ring from those that have a partner.
struct Following {
  std::vector<uint32_t> nodes;
  std::vector<std::vector<uint32_t>> leaders;  // of each
};

Following FindFollowing(const Adjacency& adjacency, const std::vector<uint32_t>& partners,
                        std::vector<uint32_t> alone) {
  Following following;
  std::vector<char> leads(partners.size());
  for (size_t node = 0; node < partners.size(); ++node) leads[node] = partners[node] != kNone;
  while (!alone.empty()) {
    const size_t ring = following.nodes.size();
    std::vector<uint32_t> left;
    for (const uint32_t node : alone) {
      std::vector<uint32_t> leaders;
      for (const uint32_t neighbour : adjacency.neighbours(node)) {
        if (leads[neighbour] != 0) leaders.push_back(neighbour);
      }
      if (leaders.empty()) {
        left.push_back(node);
        continue;
      }
      following.nodes.push_back(node);
      following.leaders.push_back(std::move(leaders));
    }
    if (following.nodes.size() == ring) break;
    for (size_t i = ring; i < following.nodes.size(); ++i) leads[following.nodes[i]] = 1;
    alone = std::move(left);
  }
  return following;
}

// What followers add to their own values: what averaging added to their leaders', in the mean.
// `result` holds the averaged values already.
void MoveFollowers(const MirrorMap& map, size_t channels, absl::Span<const float> own,
                   absl::Span<float> result) {
  for (const MirrorMap::Follower& follower : map.followers()) {
    const auto leaders = map.followed().subspan(follower.first, follower.last - follower.first);
    const float share = 1.0f / static_cast<float>(leaders.size());
    const size_t at = channels * follower.vertex;
    for (size_t channel = 0; channel < channels; ++channel) {
      float added = 0.0f;
      for (const uint32_t leader : leaders) {
        const size_t i = channels * leader + channel;
        added += result[i] - own[i];
      }
      result[at + channel] = own[at + channel] + share * added;
    }
  }
}

}  // namespace

MirrorMap MirrorMap::Build(const Adjacency& adjacency, absl::Span<const float> vertices,
                           absl::Span<const float> normals) {
  MirrorMap map;
  if (adjacency.node_count() == 0) return map;
  const Nodes nodes(adjacency, vertices);
  const double reach = kTolerance * nodes.diagonal();
  if (reach <= 0.0) return map;
  const PointGrid grid(nodes.positions, nodes.low, reach);
  const double plane =
      internal::FindMirrorPlane(nodes.positions, grid, reach, nodes.low, nodes.high);
  std::vector<uint32_t> partners =
      MutualPartners(nodes, BestPartners(nodes, normals, grid, plane, reach), reach);
  const std::vector<uint32_t> alone = KeepSymmetricParts(adjacency, partners);
  if (partners.empty()) return map;
  const Following following = FindFollowing(adjacency, partners, alone);

  std::vector<uint32_t> place(adjacency.node_count(), kNone);  // in `following`
  for (size_t i = 0; i < following.nodes.size(); ++i) {
    place[following.nodes[i]] = static_cast<uint32_t>(i);
  }
  std::vector<std::vector<uint32_t>> vertices_of(following.nodes.size());
  map.partners_.resize(adjacency.vertex_count(), kNone);
  for (size_t v = 0; v < adjacency.vertex_count(); ++v) {
    const uint32_t node = adjacency.node_of(v);
    if (partners[node] != kNone) map.partners_[v] = nodes.first_vertex[partners[node]];
    if (place[node] != kNone) vertices_of[place[node]].push_back(static_cast<uint32_t>(v));
  }
  for (size_t i = 0; i < following.nodes.size(); ++i) {
    const auto first = static_cast<uint32_t>(map.followed_.size());
    for (const uint32_t leader : following.leaders[i]) {
      map.followed_.push_back(nodes.first_vertex[leader]);
    }
    const auto last = static_cast<uint32_t>(map.followed_.size());
    for (const uint32_t v : vertices_of[i]) map.followers_.push_back({v, first, last});
  }
  return map;
}

size_t MirrorMap::memory_bytes() const {
  return partners_.capacity() * sizeof(uint32_t) + followers_.capacity() * sizeof(Follower) +
         followed_.capacity() * sizeof(uint32_t);
}

void AverageWithMirror(const MirrorMap& map, absl::Span<const float> own,
                       absl::Span<const float> mirrored, absl::Span<float> result) {
  const float* const image = mirrored.data();  // a span checks each index
  const float* offset = own.data();
  float* out = result.data();
  for (const uint32_t partner : map.partners()) {
    if (partner == kNone) {
      std::copy(offset, offset + 3, out);
    } else {
      const float* const other = image + 3 * size_t{partner};
      out[0] = 0.5f * (offset[0] - other[0]);
      out[1] = 0.5f * (offset[1] + other[1]);
      out[2] = 0.5f * (offset[2] + other[2]);
    }
    offset += 3;
    out += 3;
  }
  MoveFollowers(map, 3, own, result);
}

void AverageScalarsWithMirror(const MirrorMap& map, size_t channels, absl::Span<float> values) {
  const std::vector<float> own(values.begin(), values.end());
  for (size_t v = 0; v < map.partners().size(); ++v) {
    const uint32_t partner = map.partners()[v];
    if (partner == kNone) continue;
    for (size_t channel = 0; channel < channels; ++channel) {
      values[channels * v + channel] =
          0.5f * (own[channels * v + channel] + own[channels * partner + channel]);
    }
  }
  MoveFollowers(map, channels, own, values);
}

}  // namespace blendwire::mesh

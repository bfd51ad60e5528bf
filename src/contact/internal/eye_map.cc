// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>

#include "contact/internal/eye.h"
#include "contact/internal/rims.h"
#include "contact/internal/strips.h"

namespace blendwire::contact::internal {
namespace {

// In openings (heights of the open eye), unless they say otherwise.
constexpr double kNear = 0.12;       // skin that is the rim itself
constexpr double kUpperReach = 1.1;  // above the rim, where the lid ends and the brow begins
constexpr double kLowerReach = 0.5;
constexpr double kHoldsUpTo = 0.9;  // above the rim, the solution holds fully
constexpr double kEndsAt = 1.6;
constexpr double kBeyondCorner = 0.25;  // of the width
constexpr double kFarthest = 3.0;
constexpr double kSeed = 0.15;      // how far from its rim's curve a node may be to be on it
constexpr double kCornerWay = 0.3;  // of the width, besides twice the straight line
constexpr double kMostBulge = 0.2;

std::vector<uint32_t> Seeds(const Surroundings& around, const FoundRim& rim, const Curve& curve,
                            double height) {
  std::vector<uint32_t> seeds;
  for (const uint32_t i : rim.members) {
    const Vector& p = around.positions[i];
    if (std::abs(p.y - curve.At(p.x).y) < kSeed * height) seeds.push_back(i);
  }
  return seeds.empty() ? rim.members : seeds;
}

// The rim around each corner of the eye, where margins fade: the shortest way over the skin from
// the last node of one rim to that of the other. Its halves go to the seeds of the rims.
void JoinCorners(const SurfaceGraph& graph, const Surroundings& around, const Rims& rims,
                 std::vector<uint32_t>& upper, std::vector<uint32_t>& lower) {
  for (const double side : {-1.0, 1.0}) {
    // Of several that are as far out, always the same, in whatever order the vertices come.
    const auto farther = [&](uint32_t a, uint32_t b) {
      const Vector& p = around.positions[a];
      const Vector& q = around.positions[b];
      return std::make_tuple(side * p.x, p.z, p.y) < std::make_tuple(side * q.x, q.z, q.y);
    };
    const uint32_t from = *std::max_element(upper.begin(), upper.end(), farther);
    const uint32_t to = *std::max_element(lower.begin(), lower.end(), farther);
    const double straight = Length(around.positions[from] - around.positions[to]);
    const std::vector<uint32_t> path =
        graph.Path(from, to, 2.0 * straight + kCornerWay * rims.width);
    for (size_t i = 0; i < path.size(); ++i) {
      (2 * i < path.size() ? upper : lower).push_back(path[i]);
    }
  }
}

Member MemberOf(const Rims& rims, const Vector& p, double to_upper, double to_lower) {
  const Vector upper = rims.upper.At(p.x);
  const Vector lower = rims.lower.At(p.x);
  const double limit = kFarthest * rims.height;
  Member member;
  member.position = p;
  member.upper = to_upper < to_lower || (to_upper == to_lower && p.y > 0.5 * (upper.y + lower.y));
  const double distance = member.upper ? to_upper : to_lower;
  member.distance = distance;
  const double away = std::max(member.upper ? p.y - upper.y : lower.y - p.y, 0.0) / rims.height;
  member.near = Bell(distance, kNear * rims.height) *
                SmoothStep(0.05, 0.35, (upper.y - lower.y) / rims.height);
  if (distance < limit) {
    member.reach =
        member.upper ? 1.0 - SmoothStep(0.0, kUpperReach, away) : Bell(away, kLowerReach);
  }
  const double beyond = std::max({rims.from - p.x, p.x - rims.to, 0.0});
  member.inside = (1.0 - SmoothStep(0.0, kBeyondCorner * rims.width, beyond)) *
                  (1.0 - SmoothStep(kHoldsUpTo, kEndsAt, away));
  return member;
}

// How far what lies in the opening stands out before the straight line between the rims.
Curve FindEyeball(const Surroundings& around, const Rims& rims) {
  Curve eyeball(rims.from, rims.to, kColumns);
  const double step = eyeball.ColumnX(1) - eyeball.ColumnX(0);
  const int reach = static_cast<int>(std::ceil(0.06 * rims.width / step));
  for (size_t i = 0; i < around.nodes.size(); ++i) {
    const Vector& p = around.positions[i];
    if (around.skin[i] || p.x < rims.from || p.x > rims.to) continue;
    const Vector upper = rims.upper.At(p.x);
    const Vector lower = rims.lower.At(p.x);
    const double opening = upper.y - lower.y;
    const double share = (p.y - lower.y) / opening;
    if (opening < 0.3 * rims.height || share < 0.2 || share > 0.8) continue;
    const double out = p.z - lower.z - share * (upper.z - lower.z);
    if (out > 0.5 * rims.height) continue;  // a lash, a strand of hair
    const int column = static_cast<int>((p.x - rims.from) / step);
    for (int c = std::max(column - reach, 0); c <= std::min(column + reach, kColumns - 1); ++c) {
      eyeball[c].z = std::max(eyeball[c].z, std::min(out, kMostBulge * rims.height));
    }
  }
  return eyeball;
}

}  // namespace

std::string BuildEye(const Nodes& nodes, const Frame& frame, double radius, RegionBuilder& region,
                     EyeMap& eye) {
  const Surroundings around = FindSurroundings(nodes, frame, 1.5 * radius, kUpperLid, kLowerLid);
  FoundRims found = FindRims(nodes, frame, around, kUpperLid, kLowerLid, radius, false);
  if (!found.why_not.empty()) return found.why_not;
  eye.rims = std::move(found.rims);
  Rims& rims = eye.rims;
  rims.upper_nodes = WithLocals(around, found.upper, region);
  rims.lower_nodes = WithLocals(around, found.lower, region);

  const double limit = kFarthest * rims.height;
  std::vector<uint32_t> upper = Seeds(around, found.upper, rims.upper, rims.height);
  std::vector<uint32_t> lower = Seeds(around, found.lower, rims.lower, rims.height);
  const SurfaceGraph graph(nodes, around.nodes);
  JoinCorners(graph, around, rims, upper, lower);
  const std::vector<double> to_upper = graph.Distances(upper, limit);
  const std::vector<double> to_lower = graph.Distances(lower, limit);
  for (size_t i = 0; i < around.nodes.size(); ++i) {
    if (!around.skin[i]) continue;
    Member member = MemberOf(rims, around.positions[i], to_upper[i], to_lower[i]);
    if (member.inside <= 0.0) continue;
    member.local = region.LocalOf(around.nodes[i]);
    eye.members.push_back(member);
  }
  eye.strips = FindStrips(nodes, around, rims, eye.members, region);
  eye.eyeball = FindEyeball(around, rims);
  return {};
}

}  // namespace blendwire::contact::internal

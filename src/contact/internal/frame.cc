// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/frame.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace blendwire::contact::internal {
namespace {

constexpr int kRounds = 12;
constexpr float kOnRim = 0.4f;
constexpr double kCertain = 0.15;  // a rim whose surest nodes are less sure is none
constexpr double kFar = 2.5;       // standard deviations from an eye: somebody else's vertex
// Between the eyes, of the way from one's centre to the other's, not counting the innermost
// twentieth of each eye's vertices. The halves of one eye would be a tenth apart.
constexpr double kLeastGap = 0.2;
constexpr double kInnermost = 0.05;

struct Point {
  Vector position;
  double weight;
};

struct Group {
  Vector centre;
  double spread = 0.0;  // standard deviation
  double weight = 0.0;

  bool operator==(const Group&) const = default;
};

std::vector<Point> PointsOn(const Nodes& nodes, Margin first, Margin second) {
  std::vector<Point> points;
  for (size_t node = 0; node < nodes.count(); ++node) {
    const float margin = std::max(nodes.margins[first][node], nodes.margins[second][node]);
    if (margin > kOnRim) points.push_back({nodes.positions[node], double{margin}});
  }
  return points;
}

// Of the points that `belongs`.
template <typename Belongs>
Group GroupOf(absl::Span<const Point> points, Belongs belongs) {
  Group group;
  Vector sum;
  for (const Point& point : points) {
    if (!belongs(point)) continue;
    group.weight += point.weight;
    sum += point.weight * point.position;
  }
  if (group.weight <= 0.0) return group;
  group.centre = (1.0 / group.weight) * sum;
  double squares = 0.0;
  for (const Point& point : points) {
    if (!belongs(point)) continue;
    const Vector d = point.position - group.centre;
    squares += point.weight * Dot(d, d);
  }
  group.spread = std::sqrt(squares / group.weight);
  return group;
}

// Two means, each over its own side's points that are not far from it.
std::array<Group, 2> SplitInTwo(absl::Span<const Point> points) {
  const Group all = GroupOf(points, [](const Point&) { return true; });
  std::array<Group, 2> groups = {
      GroupOf(points, [&](const Point& p) { return p.position.x >= all.centre.x; }),
      GroupOf(points, [&](const Point& p) { return p.position.x < all.centre.x; })};
  for (int round = 0; round < kRounds; ++round) {
    const std::array<Group, 2> before = groups;
    for (size_t side = 0; side < 2; ++side) {
      groups[side] = GroupOf(points, [&](const Point& p) {
        const double own = Length(p.position - before[side].centre);
        const double other = Length(p.position - before[1 - side].centre);
        return own < other && own < kFar * before[side].spread;
      });
    }
    if (groups == before) break;
  }
  return groups;
}

// How far apart two groups are along the line between their centres, by the points that are each's.
double GapBetween(absl::Span<const Point> points, const std::array<Group, 2>& groups) {
  const Vector across = Unit(groups[0].centre - groups[1].centre);
  std::vector<double> ways[2];  // from the middle to each point, outwards
  const Vector middle = 0.5 * (groups[0].centre + groups[1].centre);
  for (const Point& point : points) {
    const double way = Dot(point.position - middle, across);
    const size_t side = way > 0.0 ? 0 : 1;
    if (Length(point.position - groups[side].centre) > kFar * groups[side].spread) continue;
    ways[side].push_back(std::abs(way));
  }
  double gap = 0.0;
  for (std::vector<double>& way : ways) {
    if (way.empty()) return 0.0;
    const auto inner = way.begin() + static_cast<std::ptrdiff_t>(
                                         kInnermost * static_cast<double>(way.size()));
    std::nth_element(way.begin(), inner, way.end());
    gap += *inner;
  }
  return gap;
}

// Upwards on the face: from lower to upper lids, and from the lips to the eyes. Lids lean forward
// and lips stand out, so that together they are nearly upright.
Vector UpOf(const Nodes& nodes, const Vector& between_eyes, const EyePlaces& places) {
  Vector lids[2];
  for (const Margin margin : {kUpperLid, kLowerLid}) {
    const std::vector<Point> points = PointsOn(nodes, margin, margin);
    for (const EyePlaces::Eye& eye : places.eyes) {
      lids[margin] += 0.5 * GroupOf(points, [&](const Point& p) {
                              return Length(p.position - eye.centre) < eye.radius;
                            }).centre;
    }
  }
  Vector up = Unit(lids[kUpperLid] - lids[kLowerLid]);
  if (std::min(nodes.certainty[kUpperLip], nodes.certainty[kLowerLip]) > kCertain) {
    const std::vector<Point> points = PointsOn(nodes, kUpperLip, kLowerLip);
    const Group lips = GroupOf(points, [](const Point&) { return true; });
    const Vector from_lips = Unit(between_eyes - lips.centre);
    if (Dot(from_lips, up) > 0.5) up += from_lips;
  }
  return up;
}

}  // namespace

EyePlaces FindEyes(const Nodes& nodes) {
  EyePlaces places;
  if (std::min(nodes.certainty[kUpperLid], nodes.certainty[kLowerLid]) < kCertain) {
    places.why_not = "the model is not sure where the lids' rims are";
    return places;
  }
  const std::vector<Point> points = PointsOn(nodes, kUpperLid, kLowerLid);
  std::array<Group, 2> groups = SplitInTwo(points);
  const Vector across = groups[0].centre - groups[1].centre;
  const double apart = Length(across);
  if (std::min(groups[0].weight, groups[1].weight) <=
          0.1 * std::max(groups[0].weight, groups[1].weight) ||
      GapBetween(points, groups) <= kLeastGap * apart) {
    places.why_not = "the lids' rims are not those of two eyes side by side";
    return places;
  }
  for (size_t side = 0; side < 2; ++side) {
    places.eyes[side].centre = groups[side].centre;
    places.eyes[side].radius = std::min(kFar * groups[side].spread, 0.5 * apart);
  }
  Frame& face = places.face;
  face.origin = 0.5 * (groups[0].centre + groups[1].centre);
  face.x = Unit(across);
  const Vector up = UpOf(nodes, face.origin, places);
  face.y = Unit(up - Dot(up, face.x) * face.x);
  face.z = Cross(face.x, face.y);
  if (Length(face.y) < 0.5) places.why_not = "upper and lower lids are not above each other";
  return places;
}

}  // namespace blendwire::contact::internal

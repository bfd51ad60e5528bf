// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/mouth.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "contact/internal/rims.h"

namespace blendwire::contact::internal {
namespace {

constexpr double kCertain = 0.15;
constexpr float kOnRim = 0.4f;

// In mouth widths.
constexpr double kReach = 0.13;  // how far from a rim its lip gives way
constexpr Bandwidth kBandwidth{0.06, 0.2};
constexpr double kFarthest = 0.5;
constexpr double kOpenAtRest = 0.12;  // a mouth modelled farther open is not to be sealed
constexpr double kSpared = 0.004;     // a gap that nobody sees
constexpr double kPressed = 0.06;     // an overlap that artists make: lips pressed together
constexpr double kMostOff = 0.35;     // a gap that no seal is meant for

struct Place {
  Vector centre;
  double radius = 0.0;
};

// The mean of what is on the lips' rims, and how far it reaches.
Place FindLips(const Nodes& nodes) {
  Place place;
  double weights = 0.0;
  const auto for_each = [&](auto visit) {
    for (size_t node = 0; node < nodes.count(); ++node) {
      const float margin = std::max(nodes.margins[kUpperLip][node], nodes.margins[kLowerLip][node]);
      if (margin > kOnRim) visit(nodes.positions[node], double{margin});
    }
  };
  for_each([&](const Vector& p, double weight) {
    place.centre += weight * p;
    weights += weight;
  });
  if (weights <= 0.0) return place;
  place.centre = (1.0 / weights) * place.centre;
  double squares = 0.0;
  for_each([&](const Vector& p, double weight) {
    const Vector d = p - place.centre;
    squares += weight * Dot(d, d);
  });
  place.radius = 3.0 * std::sqrt(squares / weights);
  return place;
}

// By how much too far apart the field leaves the rims (below 0: too close), by x, in y. The lips
// are to be as close as they are at rest, or to touch where they are open at rest.
Curve ErrorOf(const Rims& rims, const Curve& upper, const Curve& lower) {
  Curve error(rims.from, rims.to, kColumns);
  for (int c = 0; c < kColumns; ++c) {
    const double rest = rims.upper[c].y - rims.lower[c].y;
    const double gap = rest + upper[c].y - lower[c].y;
    const double wanted = std::min(rest, 0.0);
    const double off =
        gap - std::clamp(gap, wanted - kPressed * rims.width, wanted + kSpared * rims.width);
    // The corners are one point each already.
    const double t = (2.0 * error.ColumnX(c) - rims.from - rims.to) / (rims.to - rims.from);
    error[c].y = off * (1.0 - SmoothStep(0.7, 1.0, std::abs(t)));
  }
  return error;
}

}  // namespace

std::string BuildMouth(const Nodes& nodes, const Frame& face, RegionBuilder& region,
                       MouthMap& mouth) {
  if (std::min(nodes.certainty[kUpperLip], nodes.certainty[kLowerLip]) < kCertain) {
    return "the model is not sure where the lips' rims are";
  }
  const Place place = FindLips(nodes);
  Frame frame = face;
  frame.origin = place.centre;
  const Surroundings around = FindSurroundings(nodes, frame, place.radius, kUpperLip, kLowerLip);
  FoundRims found = FindRims(nodes, frame, around, kUpperLip, kLowerLip, place.radius, true);
  if (!found.why_not.empty()) return found.why_not;
  mouth.rims = std::move(found.rims);
  Rims& rims = mouth.rims;
  if (std::abs(rims.height) > kOpenAtRest * rims.width) {
    return "the mouth is open at rest, or its rims are not certain";
  }
  rims.upper_nodes = WithLocals(around, found.upper, region);
  rims.lower_nodes = WithLocals(around, found.lower, region);
  const double limit = kFarthest * rims.width;
  const SurfaceGraph graph(nodes, around.nodes);
  const std::vector<double> to_upper = graph.Distances(found.upper.members, limit);
  const std::vector<double> to_lower = graph.Distances(found.lower.members, limit);
  for (size_t i = 0; i < around.nodes.size(); ++i) {
    if (!around.skin[i]) continue;
    Member member;
    member.position = around.positions[i];
    member.upper = to_upper[i] < to_lower[i];
    const double distance = std::min(to_upper[i], to_lower[i]);
    if (distance >= limit) continue;
    // Between the rims, around the corners, both pull alike: neither does.
    const double between = Bell(std::max(to_upper[i], to_lower[i]) - distance, 0.04 * rims.width);
    member.reach = Bell(distance, kReach * rims.width) * (1.0 - between);
    if (distance == 0.0) member.reach = 1.0;
    if (member.reach < 1e-3) continue;
    member.local = region.LocalOf(around.nodes[i]);
    mouth.members.push_back(member);
  }
  return {};
}

void SealLips(const MouthMap& mouth, double closure, absl::Span<const Vector> field,
              absl::Span<Vector> solution) {
  const Rims& rims = mouth.rims;
  const double scale = 1.0 / closure;
  const Curve upper = FieldAlong(rims, rims.upper_nodes, kBandwidth, scale, field);
  const Curve lower = FieldAlong(rims, rims.lower_nodes, kBandwidth, scale, field);
  const Curve error = ErrorOf(rims, upper, lower);
  for (int c = 0; c < kColumns; ++c) {
    if (std::abs(error[c].y) > kMostOff * rims.width) return;
  }
  for (const Member& member : mouth.members) {
    const double half = 0.5 * error.At(member.position.x).y;
    const Vector move{0.0, (member.upper ? -half : half) * member.reach, 0.0};
    solution[member.local] += closure * rims.frame.DirectionOut(move);
  }
}

}  // namespace blendwire::contact::internal

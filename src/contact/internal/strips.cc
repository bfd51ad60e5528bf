// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/strips.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>

namespace blendwire::contact::internal {
namespace {

// In openings, unless they say otherwise.
constexpr double kTouches = 0.25;       // a root's distance from the rim
constexpr float kMarked = 0.3f;         // what the margin says of its surest node
constexpr double kDeepest = 0.3;        // behind the rim: there begins the eyeball
constexpr double kTallest = 1.5;
constexpr double kCompact = 0.15;       // of the width: a single lash, which stays rigid
constexpr double kBeyondCorner = 0.45;  // of the width
constexpr double kSpared = 0.15;        // of the opening at the other rim that no lash reaches

struct Piece {
  std::vector<uint32_t> members;  // of the surroundings
  Vector low{1e300, 1e300, 1e300};
  Vector high{-1e300, -1e300, -1e300};
};

// The distance to a rim across x, which is how a column sees it.
double ToRim(const Curve& rim, const Vector& p) {
  const Vector on = rim.At(p.x);
  return std::hypot(p.y - on.y, p.z - on.z);
}

// Whether the piece stands on `own` and keeps clear of `other`.
bool StandsOn(const Curve& own, const Curve& other, absl::Span<const float> margins,
              const Surroundings& around, const Rims& rims, const Piece& piece) {
  double nearest = std::numeric_limits<double>::max();
  double depth = 0.0;
  size_t clear = 0;
  size_t on_side = 0;
  float margin = 0.0f;
  for (const uint32_t i : piece.members) {
    const Vector& p = around.positions[i];
    const Vector here = own.At(p.x);
    const Vector there = other.At(p.x);
    nearest = std::min(nearest, ToRim(own, p));
    margin = std::max(margin, margins[around.nodes[i]]);
    depth += p.z - here.z;
    const double opening = here.y - there.y;
    const double share = std::abs(opening) > 0.05 * rims.height ? (p.y - there.y) / opening : 1.0;
    clear += share > kSpared ? 1U : 0U;
    on_side += share > 0.5 ? 1U : 0U;
  }
  const auto count = static_cast<double>(piece.members.size());
  return margin > kMarked && nearest < kTouches * rims.height && depth / count > -kDeepest * rims.height &&
         static_cast<double>(clear) > 0.9 * count && static_cast<double>(on_side) > 0.6 * count;
}

// The column that each node of the piece stands on: that of the roots nearest to it, so that tips
// which fan out move as their roots do.
std::vector<double> ColumnsOf(const Curve& rim, const Surroundings& around, const Rims& rims,
                              const Piece& piece) {
  std::vector<Vector> roots;
  double nearest = std::numeric_limits<double>::max();
  for (const uint32_t i : piece.members) {
    nearest = std::min(nearest, ToRim(rim, around.positions[i]));
  }
  for (const uint32_t i : piece.members) {
    const Vector& p = around.positions[i];
    if (ToRim(rim, p) < nearest + 0.12 * rims.height) roots.push_back(p);
  }
  const bool compact = piece.high.x - piece.low.x < kCompact * rims.width;
  std::vector<double> xs;
  for (const uint32_t i : piece.members) {
    const Vector& p = around.positions[i];
    double closest = std::numeric_limits<double>::max();
    for (const Vector& root : roots) closest = std::min(closest, Length(p - root));
    double sum = 0.0;
    double weights = 0.0;
    for (const Vector& root : roots) {
      const double weight =
          compact ? 1.0 : Bell(Length(p - root) - closest, 0.05 * rims.width) + 1e-9;
      sum += weight * root.x;
      weights += weight;
    }
    xs.push_back(sum / weights);
  }
  return xs;
}

}  // namespace

std::vector<Strip> FindStrips(const Nodes& nodes, const Surroundings& around, const Rims& rims,
                              RegionBuilder& region) {
  std::map<uint32_t, Piece> pieces;  // ordered, so that the strips are
  for (uint32_t i = 0; i < around.nodes.size(); ++i) {
    if (around.skin[i]) continue;
    Piece& piece = pieces[nodes.piece[around.nodes[i]]];
    piece.members.push_back(i);
    const Vector& p = around.positions[i];
    piece.low = {std::min(piece.low.x, p.x), std::min(piece.low.y, p.y), std::min(piece.low.z, p.z)};
    piece.high = {std::max(piece.high.x, p.x), std::max(piece.high.y, p.y),
                  std::max(piece.high.z, p.z)};
  }
  std::vector<Strip> strips;
  for (const auto& [id, piece] : pieces) {
    const bool whole = piece.members.size() == nodes.piece_sizes[id];
    if (!whole || piece.members.size() < 2 || piece.high.y - piece.low.y > kTallest * rims.height ||
        piece.low.x < rims.from - kBeyondCorner * rims.width ||
        piece.high.x > rims.to + kBeyondCorner * rims.width) {
      continue;
    }
    Strip strip;
    strip.upper = StandsOn(rims.upper, rims.lower, nodes.margins[kUpperLid], around, rims, piece);
    if (!strip.upper && !StandsOn(rims.lower, rims.upper, nodes.margins[kLowerLid], around, rims, piece)) continue;
    strip.xs = ColumnsOf(strip.upper ? rims.upper : rims.lower, around, rims, piece);
    for (const uint32_t i : piece.members) strip.locals.push_back(region.LocalOf(around.nodes[i]));
    strips.push_back(std::move(strip));
  }
  return strips;
}

}  // namespace blendwire::contact::internal

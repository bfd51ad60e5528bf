// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/rims.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

namespace blendwire::contact::internal {
namespace {

constexpr float kOnRim = 0.45f;
constexpr size_t kFewest = 3;           // nodes that a rim must have
constexpr double kLeastOpening = 0.06;  // of the width: a flatter eye is closed already
// Of the width, between neighbouring nodes of a rim: of a dense one, and of one with few vertices.
constexpr double kWidestGap = 0.25;
constexpr double kWidestGapOfFew = 0.4;
constexpr size_t kFew = 20;
constexpr double kRidge = 0.45;         // of the surest weight (margin squared) of a column
constexpr double kRidgeColumn = 0.04;   // of the width
constexpr double kMostScatter = 0.8;    // of the opening
constexpr double kCornerLength = 0.12;  // of the width: beyond the last node the rims run together

struct Range {
  double from;
  double to;
};

Range RangeOf(const Surroundings& around, const FoundRim& rim) {
  Range range{1e300, -1e300};
  for (const uint32_t i : rim.members) {
    range.from = std::min(range.from, around.positions[i].x);
    range.to = std::max(range.to, around.positions[i].x);
  }
  return range;
}

struct PieceSums {
  std::vector<double> upper;
  std::vector<double> lower;
};

// Keeps the run of nodes around the middle one, without what lies beyond a gap in x.
void DropStrays(const Surroundings& around, FoundRim& rim) {
  const size_t count = rim.members.size();
  if (count < kFewest) return;
  std::vector<double> xs;
  xs.reserve(count);
  for (const uint32_t i : rim.members) xs.push_back(around.positions[i].x);
  std::sort(xs.begin(), xs.end());
  const double gap =
      (count < kFew ? kWidestGapOfFew : kWidestGap) * (xs[count - 1 - count / 10] - xs[count / 10]);
  size_t first = count / 2;
  size_t last = count / 2;
  while (first > 0 && xs[first] - xs[first - 1] <= gap) --first;
  while (last + 1 < count && xs[last + 1] - xs[last] <= gap) ++last;
  FoundRim kept;
  for (size_t i = 0; i < count; ++i) {
    const double x = around.positions[rim.members[i]].x;
    if (x < xs[first] || x > xs[last]) continue;
    kept.members.push_back(rim.members[i]);
    kept.weights.push_back(rim.weights[i]);
  }
  rim = std::move(kept);
}

// Keeps what is nearly as sure as the surest of its column: where a margin is a broad blur, its
// ridge.
void KeepRidge(const Surroundings& around, FoundRim& rim) {
  const Range range = RangeOf(around, rim);
  const double reach = 1.5 * kRidgeColumn * (range.to - range.from);
  std::vector<size_t> by_x(rim.members.size());
  std::iota(by_x.begin(), by_x.end(), size_t{0});
  const auto x_of = [&](size_t i) { return around.positions[rim.members[i]].x; };
  std::sort(by_x.begin(), by_x.end(), [&](size_t a, size_t b) { return x_of(a) < x_of(b); });
  std::vector<char> kept(rim.members.size());
  size_t first = 0;
  for (const size_t i : by_x) {
    while (x_of(by_x[first]) < x_of(i) - reach) ++first;
    double surest = 0.0;
    for (size_t k = first; k < by_x.size() && x_of(by_x[k]) <= x_of(i) + reach; ++k) {
      surest = std::max(surest, rim.weights[by_x[k]]);
    }
    kept[i] = rim.weights[i] >= kRidge * surest ? 1 : 0;
  }
  FoundRim ridge;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (!kept[i]) continue;
    ridge.members.push_back(rim.members[i]);
    ridge.weights.push_back(rim.weights[i]);
  }
  rim = std::move(ridge);
}

// Nodes of one margin within `radius`, with a weight each. Skin only, unless the skin has too
// little of it.
FoundRim Pick(const Nodes& nodes, const Surroundings& around, Margin margin, Margin other,
              double radius) {
  FoundRim skin;
  FoundRim any;
  for (uint32_t i = 0; i < around.nodes.size(); ++i) {
    const float value = nodes.margins[margin][around.nodes[i]];
    if (value < kOnRim || value < nodes.margins[other][around.nodes[i]]) continue;
    if (std::abs(around.positions[i].x) > radius) continue;  // the other eye's
    const double weight = double{value} * double{value};
    any.members.push_back(i);
    any.weights.push_back(weight);
    if (!around.skin[i]) continue;
    skin.members.push_back(i);
    skin.weights.push_back(weight);
  }
  FoundRim& rim = skin.members.size() >= 4 ? skin : any;
  DropStrays(around, rim);
  if (!rim.members.empty()) KeepRidge(around, rim);
  return rim;
}

std::vector<Sample> SamplesOf(const Surroundings& around, const FoundRim& rim) {
  std::vector<Sample> samples;
  samples.reserve(rim.members.size());
  for (size_t i = 0; i < rim.members.size(); ++i) {
    const Vector& p = around.positions[rim.members[i]];
    samples.push_back({p.x, p, rim.weights[i]});
  }
  return samples;
}

Curve FitRim(const Surroundings& around, const FoundRim& rim, Range range) {
  const double width = range.to - range.from;
  return FitCurve(SamplesOf(around, rim), range.from, range.to, kColumns,
                  {0.035 * width, 0.15 * width});
}

// The margin is a blur around the rim. Trusts the nodes less that lie on the lid's side of the
// curve fitted to them, and fits it again: `sign` is 1 for the upper rim, the lowest line of its
// blur.
void RefitRim(const Surroundings& around, FoundRim& rim, Range range, double height, double sign,
              Curve& curve) {
  const std::vector<double> given = rim.weights;
  for (int round = 0; round < 2; ++round) {
    for (size_t i = 0; i < rim.members.size(); ++i) {
      const Vector& p = around.positions[rim.members[i]];
      const double away = sign * (p.y - curve.At(p.x).y);
      rim.weights[i] = given[i] * (away > 0.0 ? Bell(away, 0.12 * height) + 1e-3 : 1.0);
    }
    curve = FitRim(around, rim, range);
  }
}

// Beyond where either rim has nodes the opening narrows to nothing, and where the rims have crossed
// it is closed: both become their middle.
void CloseCorners(Curve& upper, Curve& lower, Range known, double width) {
  for (int column = 0; column < kColumns; ++column) {
    const double x = upper.ColumnX(column);
    const double beyond = std::max({known.from - x, x - known.to, 0.0});
    const double open = std::max(1.0 - beyond / (kCornerLength * width), 0.0);
    const Vector middle = 0.5 * (upper[column] + lower[column]);
    const Vector half = 0.5 * (upper[column] - lower[column]);
    const double share = half.y > 0.0 ? open : 0.0;
    upper[column] = middle + share * half;
    lower[column] = middle - share * half;
  }
}

// How far the nodes are from their curve, typically.
double ScatterOf(const Surroundings& around, const FoundRim& rim, const Curve& curve) {
  double squares = 0.0;
  for (const uint32_t i : rim.members) {
    const Vector& p = around.positions[i];
    const double away = p.y - curve.At(p.x).y;
    squares += away * away;
  }
  return std::sqrt(squares / static_cast<double>(rim.members.size()));
}

// Eyes narrow towards both corners. Where the curves do not, one of them follows something else.
bool LooksLikeAnEye(const Rims& rims) {
  const auto opening = [&](double share) {
    const double x = rims.from + share * (rims.to - rims.from);
    return rims.upper.At(x).y - rims.lower.At(x).y;
  };
  const double inner = opening(0.28);
  const double outer = opening(0.72);
  return std::max(inner, outer) < 1.35 * rims.height &&
         std::min(inner, outer) > 0.25 * rims.height &&
         std::abs(inner - outer) < 0.6 * rims.height;
}

double MedianOpening(const Curve& upper, const Curve& lower) {
  std::vector<double> openings;
  for (int column = kColumns / 4; column <= 3 * kColumns / 4; ++column) {
    openings.push_back(upper[column].y - lower[column].y);
  }
  const auto middle = openings.begin() + static_cast<std::ptrdiff_t>(openings.size() / 2);
  std::nth_element(openings.begin(), middle, openings.end());
  return *middle;
}

}  // namespace

Surroundings FindSurroundings(const Nodes& nodes, const Frame& frame, double radius, Margin upper,
                              Margin lower) {
  Surroundings around;
  PieceSums sums{std::vector<double>(nodes.piece_count()),
                 std::vector<double>(nodes.piece_count())};
  for (uint32_t node = 0; node < nodes.count(); ++node) {
    const Vector p = frame.PointIn(nodes.positions[node]);
    if (Dot(p, p) > radius * radius) continue;
    around.nodes.push_back(node);
    around.positions.push_back(p);
    sums.upper[nodes.piece[node]] += double{nodes.margins[upper][node]};
    sums.lower[nodes.piece[node]] += double{nodes.margins[lower][node]};
  }
  double both = 0.0;  // what the best piece has of the scarcer margin
  for (size_t piece = 0; piece < nodes.piece_count(); ++piece) {
    both = std::max(both, std::min(sums.upper[piece], sums.lower[piece]));
  }
  for (const uint32_t node : around.nodes) {
    const uint32_t piece = nodes.piece[node];
    around.skin.push_back(std::min(sums.upper[piece], sums.lower[piece]) > 0.3 * both ? 1 : 0);
  }
  return around;
}

FoundRims FindRims(const Nodes& nodes, const Frame& frame, const Surroundings& around, Margin upper,
                   Margin lower, double radius, bool may_touch) {
  FoundRims found;
  found.upper = Pick(nodes, around, upper, lower, radius);
  found.lower = Pick(nodes, around, lower, upper, radius);
  if (std::min(found.upper.members.size(), found.lower.members.size()) < kFewest) {
    found.why_not = "a rim has fewer than three vertices that the model is sure of";
    return found;
  }
  const Range ranges[] = {RangeOf(around, found.upper), RangeOf(around, found.lower)};
  const Range known = {std::min(ranges[0].from, ranges[1].from),
                       std::max(ranges[0].to, ranges[1].to)};
  const double width = known.to - known.from;
  const double common =
      std::min(ranges[0].to, ranges[1].to) - std::max(ranges[0].from, ranges[1].from);
  if (width < 0.2 * radius || common < 0.4 * width) {
    found.why_not = "the two rims do not lie opposite each other";
    return found;
  }
  Rims& rims = found.rims;
  rims.frame = frame;
  rims.width = width;
  const Range wide = {known.from - kCornerLength * width, known.to + kCornerLength * width};
  rims.from = wide.from;
  rims.to = wide.to;
  rims.upper = FitRim(around, found.upper, wide);
  rims.lower = FitRim(around, found.lower, wide);
  double height = 0.3 * width;
  for (int round = 0; round < 2; ++round) {
    RefitRim(around, found.upper, wide, height, 1.0, rims.upper);
    RefitRim(around, found.lower, wide, height, -1.0, rims.lower);
    height = std::max(MedianOpening(rims.upper, rims.lower), kLeastOpening * width);
  }
  rims.height = MedianOpening(rims.upper, rims.lower);
  if (!may_touch && rims.height < kLeastOpening * width) {
    found.why_not = "the eye is closed or too flat";
    return found;
  }
  rims.scatter = std::max(ScatterOf(around, found.upper, rims.upper),
                          ScatterOf(around, found.lower, rims.lower));
  if (!may_touch && rims.scatter > kMostScatter * rims.height) {
    found.why_not = "the model's margins are too blurred to show where the rims are";
    return found;
  }
  if (!may_touch && !LooksLikeAnEye(rims)) {
    found.why_not = "the curves through the rims do not look like an eye";
    return found;
  }
  CloseCorners(rims.upper, rims.lower, known, width);
  return found;
}

std::vector<RimNode> WithLocals(const Surroundings& around, const FoundRim& rim,
                                RegionBuilder& region) {
  std::vector<RimNode> nodes;
  for (size_t i = 0; i < rim.members.size(); ++i) {
    const uint32_t member = rim.members[i];
    nodes.push_back(
        {region.LocalOf(around.nodes[member]), around.positions[member].x, rim.weights[i]});
  }
  return nodes;
}

Curve FieldAlong(const Rims& rims, absl::Span<const RimNode> rim, const Bandwidth& bandwidth,
                 double scale, absl::Span<const Vector> field) {
  std::vector<Sample> samples;
  samples.reserve(rim.size());
  for (const RimNode& node : rim) {
    samples.push_back({node.x, scale * rims.frame.DirectionIn(field[node.local]), node.weight});
  }
  return FitCurve(samples, rims.from, rims.to, kColumns,
                  {bandwidth.least * rims.width, bandwidth.most * rims.width});
}

}  // namespace blendwire::contact::internal

// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "contact/internal/eye.h"
#include "contact/internal/rims.h"

namespace blendwire::contact::internal {
namespace {

constexpr double kSharpness = 1.3;  // networks blur: a lid's share of the travel falls off faster
constexpr double kRimKept = 0.5;    // of a rim's thickness is left when it lies on the closing line
constexpr double kThickest = 0.08;  // of the opening
constexpr double kFlatter = 0.6;    // the closing line, against the curve between the rims
constexpr double kLeastMeeting = 0.03;  // where the rims meet: 0 at the lower lid, 1 at the upper
constexpr double kTallMeeting = 0.22;   // at least, for an eye nearly as high as wide
constexpr double kMostMeeting = 0.65;
constexpr double kPinned = 0.6;  // what is nearer to the rim
constexpr double kMostGain = 2.5;
constexpr double kPast = 0.03;  // of the opening, that a lid may pass the closing line by

struct Motion {
  Curve upper;  // how far the field moves the rims, in the frame
  Curve lower;
  double down = 0.0;   // typical, of the upper rim
  double trust = 0.0;  // in the field's own distribution over the lid: 0 if it hardly moves
};

// The closed eye, by x.
struct Target {
  Curve line;        // where the rims meet
  Curve upper_move;  // of the upper rim, in the frame
  Curve lower_move;
  double gain = 1.0;  // how much farther the upper rim has to go than the field takes it
};

Curve FieldAlong(const Rims& rims, const std::vector<RimNode>& rim, double scale,
                 absl::Span<const Vector> field) {
  std::vector<Sample> samples;
  samples.reserve(rim.size());
  for (const RimNode& node : rim) {
    samples.push_back({node.x, scale * rims.frame.DirectionIn(field[node.local]), node.weight});
  }
  return FitCurve(samples, rims.from, rims.to, kColumns, {0.08 * rims.width, 0.2 * rims.width});
}

// The median over the columns in the middle of the eye.
template <typename Value>
double TypicalOf(Value value) {
  std::vector<double> values;
  for (int column = kColumns / 5; column <= 4 * kColumns / 5; ++column) {
    values.push_back(value(column));
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

Motion MotionOf(const EyeMap& eye, double scale, absl::Span<const Vector> field) {
  Motion motion;
  motion.upper = FieldAlong(eye.rims, eye.rims.upper_nodes, scale, field);
  motion.lower = FieldAlong(eye.rims, eye.rims.lower_nodes, scale, field);
  motion.down = std::max(TypicalOf([&](int c) { return -motion.upper[c].y; }), 0.0);
  motion.trust = std::clamp((motion.down / eye.rims.height - 0.1) / 0.2, 0.0, 1.0);
  return motion;
}

// A parabola through a curve's y, in t = -1 at one corner of the eye and 1 at the other.
struct Parabola {
  double middle = 0.0;
  double slope = 0.0;
  double curvature = 0.0;

  double At(double t) const { return middle + (slope + curvature * t) * t; }
};

double ShareOfWidth(const Rims& rims, double x) {
  return (2.0 * x - rims.from - rims.to) / (rims.to - rims.from);
}

// Least squares over the columns but those of the corners. The columns lie symmetrically, so that
// the odd sums vanish.
Parabola FitParabola(const Rims& rims, const Curve& curve) {
  double n = 0.0, t2 = 0.0, t4 = 0.0, y0 = 0.0, y1 = 0.0, y2 = 0.0;
  for (int c = kColumns / 7; c < kColumns - kColumns / 7; ++c) {
    const double t = ShareOfWidth(rims, curve.ColumnX(c));
    n += 1.0;
    t2 += t * t;
    t4 += t * t * t * t;
    y0 += curve[c].y;
    y1 += t * curve[c].y;
    y2 += t * t * curve[c].y;
  }
  Parabola fit;
  fit.curvature = (n * y2 - t2 * y0) / (n * t4 - t2 * t2);
  fit.middle = (y0 - fit.curvature * t2) / n;
  fit.slope = y1 / t2;
  return fit;
}

// Artists close a flat eye onto its lower lid and a tall one along a line flatter than that; happy
// eyes meet half way up, in an arc. `meeting` is how far up; returns y for t of -1..1.
Parabola LineOf(const Rims& rims, double meeting) {
  const Parabola upper = FitParabola(rims, rims.upper);
  const Parabola lower = FitParabola(rims, rims.lower);
  const auto mix = [](double a, double b, double share) { return a + share * (b - a); };
  const double bend = meeting + 0.25 * SmoothStep(0.2, 0.45, meeting);
  Parabola line{mix(lower.middle, upper.middle, meeting), mix(lower.slope, upper.slope, meeting),
                mix(lower.curvature, upper.curvature, bend)};
  if (line.curvature > 0.0) line.curvature *= kFlatter;
  return line;
}

Target TargetOf(const EyeMap& eye, const Motion& motion) {
  const Rims& rims = eye.rims;
  // The field says which lid goes how far: a blink comes from above, a smile lifts the lower lid.
  const double up = std::max(TypicalOf([&](int c) { return motion.lower[c].y; }), 0.0);
  // A tall eye is not closed from above alone, even where the field forgets the lower lid.
  const double tall = kTallMeeting * SmoothStep(0.55, 0.8, rims.height / rims.width);
  const double both = up + motion.down;
  const double meeting = std::clamp(both > 0.0 ? up / both : 0.0, std::max(kLeastMeeting, tall),
                                    kMostMeeting);
  const Parabola line = LineOf(rims, meeting);
  const double own = SmoothStep(0.0, 0.2, meeting);  // of the line, against the lower lid's shape
  Target target{rims.lower, rims.upper, rims.lower, 1.0};
  for (int c = 0; c < kColumns; ++c) {
    Vector& on = target.line[c];
    on = rims.lower[c] + meeting * (rims.upper[c] - rims.lower[c]);
    on.y += own * (line.At(ShareOfWidth(rims, target.line.ColumnX(c))) - on.y);
    on.z += 4.0 * meeting * (1.0 - meeting) * eye.eyeball[c].z;
    Vector down = on - rims.upper[c];
    Vector raise = on - rims.lower[c];
    down.z += 0.5 * eye.eyeball[c].z;
    down.x = motion.upper[c].x;
    raise.x = motion.lower[c].x;
    target.upper_move[c] = down;
    target.lower_move[c] = raise;
  }
  const double way = TypicalOf([&](int c) { return -target.upper_move[c].y; });
  if (motion.down > 0.0) target.gain = std::clamp(way / motion.down, 0.5, kMostGain);
  return target;
}

// What is left of a rim node's distance from the rim's line when the lids have met.
double Thickness(const Rims& rims, double distance) {
  return kRimKept * std::clamp(distance, -kThickest * rims.height, kThickest * rims.height);
}

// How much of the rim's travel the lid takes at a node.
double LidShare(const Member& member, const Motion& motion, double field_y) {
  const double rim = std::max(-motion.upper.At(member.position.x).y, 0.3 * motion.down);
  double share = member.reach;
  if (motion.trust > 0.0) {
    const double own = std::clamp(-field_y / rim, 0.0, 1.0);
    share = (1.0 - motion.trust) * share + motion.trust * std::pow(own, kSharpness);
  }
  return share;
}

// Skin above the rim follows it. Around the corners, where the opening says little about how far
// the skin should go, the field does, as much stronger as the lid has to be in the middle.
Vector UpperLid(const Rims& rims, const Member& member, const Motion& motion, const Target& target,
                const Vector& field) {
  const Vector& p = member.position;
  const Vector upper = rims.upper.At(p.x);
  const Vector line = target.line.At(p.x);
  const double corner =
      motion.trust * (1.0 - SmoothStep(0.3, 0.7, (upper.y - rims.lower.At(p.x).y) / rims.height));
  Vector move = LidShare(member, motion, field.y) * target.upper_move.At(p.x);
  move += corner * (target.gain * field - move);
  move.x = std::clamp(field.x, -0.15 * rims.height, 0.15 * rims.height);
  Vector on_line = target.upper_move.At(p.x);
  on_line.x = move.x;
  on_line.y = line.y + Thickness(rims, p.y - upper.y) - p.y;
  move += member.near * (on_line - move);
  move.y = std::max(move.y, std::min(line.y - kPast * rims.height - p.y, 0.0));
  return move;
}

// The lower lid keeps the field and makes up for what its rim lacks.
Vector LowerLid(const Rims& rims, const Member& member, const Motion& motion, const Target& target,
                const Vector& field) {
  const Vector& p = member.position;
  const Vector lower = rims.lower.At(p.x);
  const Vector line = target.line.At(p.x);
  Vector lack = target.lower_move.At(p.x) - motion.lower.At(p.x);
  lack.x = 0.0;
  Vector move = field + member.reach * lack;
  Vector on_line = target.lower_move.At(p.x);
  on_line.x = move.x;
  on_line.y = line.y + Thickness(rims, p.y - lower.y) - p.y;
  move += member.near * (on_line - move);
  move.y = std::min(move.y, std::max(line.y + kPast * rims.height - p.y, 0.0));
  return move;
}

void MoveStrips(const EyeMap& eye, const Curve& upper, const Curve& lower, double scale,
                absl::Span<Vector> solution) {
  for (const Strip& strip : eye.strips) {
    for (size_t i = 0; i < strip.locals.size(); ++i) {
      const Vector move = (strip.upper ? upper : lower).At(strip.xs[i]);
      solution[strip.locals[i]] = scale * eye.rims.frame.DirectionOut(move);
    }
  }
}

}  // namespace

void CloseEye(const EyeMap& eye, double closure, absl::Span<const Vector> field,
              absl::Span<Vector> solution) {
  const Rims& rims = eye.rims;
  // Solved for the closed eye, of which the expression is a part: so it stays linear.
  const double scale = 1.0 / closure;
  const Motion motion = MotionOf(eye, scale, field);
  const Target target = TargetOf(eye, motion);
  for (const Member& member : eye.members) {
    const Vector plain = scale * rims.frame.DirectionIn(field[member.local]);
    const Vector solved = member.upper ? UpperLid(rims, member, motion, target, plain)
                                       : LowerLid(rims, member, motion, target, plain);
    const Vector mixed = plain + member.inside * (solved - plain);
    solution[member.local] = closure * rims.frame.DirectionOut(mixed);
  }
  MoveStrips(eye, target.upper_move, target.lower_move, closure, solution);
}

void PinRims(const EyeMap& eye, std::vector<char>& pinned) {
  for (const Member& member : eye.members) {
    if (member.near > kPinned) pinned[member.local] = 1;
  }
  for (const Strip& strip : eye.strips) {
    for (const uint32_t local : strip.locals) pinned[local] = 1;
  }
}

void CarryStrips(const EyeMap& eye, absl::Span<const Vector> field, absl::Span<Vector> solution) {
  if (eye.strips.empty()) return;
  const Motion motion = MotionOf(eye, 1.0, field);
  MoveStrips(eye, motion.upper, motion.lower, 1.0, solution);
}

}  // namespace blendwire::contact::internal

// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "contact/internal/eye.h"
#include "contact/internal/rims.h"

namespace blendwire::contact::internal {
namespace {

constexpr Bandwidth kBandwidth{0.08, 0.2};  // of the width, for the field along the rims
constexpr double kSharpness = 1.3;  // networks blur: a lid's share of the travel falls off faster
constexpr double kRimKept = 1.0;    // of a rim's thickness is left when it lies on the closing line
constexpr double kThickest = 0.1;   // of the opening
constexpr double kFlatter = 0.6;    // the closing line, against the curve between the rims
constexpr double kLeastMeeting = 0.03;  // where the rims meet: 0 at the lower lid, 1 at the upper
constexpr double kTallMeeting = 0.28;   // at least, for an eye nearly as high as wide
constexpr double kMostMeeting = 0.65;
constexpr double kPinned = 0.6;  // what is nearer to the rim
constexpr double kDepth = 0.08;
constexpr double kOutward = 0.15;  // more, for a lid that has to clear the eye
constexpr double kInside = 0.15;   // behind the line between the rims: the insides of the lids
constexpr double kMostLift = 0.3;
constexpr double kMostGain = 2.5;
constexpr double kPast = 0.03;  // of the opening, that a lid may pass the closing line by
// Of the opening: rims are not known better than this, so less than that is no gap, and lids that
// pass each other by less have met.
constexpr double kNoGap = 0.05;
constexpr double kMet = 0.1;
constexpr double kPassed = 0.15;  // farther, it is undone
// Of the opening, left open by a field that knows where the lids meet, and by one that does not.
constexpr double kKnowsFully = 0.3;
constexpr double kKnowsNothing = 0.6;
// Of the opening: a node farther from its rim's line is not on it.
constexpr double kStray = 0.06;
constexpr double kStrayOfSharp = 1.0;
constexpr double kSharp = 0.03;  // scatter of the rims' nodes
constexpr double kBlurred = 0.1;

struct Motion {
  Curve upper;  // how far the field moves the rims, in the frame
  Curve lower;
  double down = 0.0;   // typical, of the upper rim
  double trust = 0.0;  // in the field's own distribution over the lid: 0 if it hardly moves
};

// The closed eye, by x.
struct Target {
  Curve line;        // where the rims meet
  Curve upper_line;  // where each rim arrives: on the line, or where its own field takes it
  Curve lower_line;
  Curve upper_move;  // of the upper rim, in the frame
  Curve lower_move;
  double gain = 1.0;  // how much farther the upper rim has to go than the field takes it
};

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
  motion.upper = FieldAlong(eye.rims, eye.rims.upper_nodes, kBandwidth, scale, field);
  motion.lower = FieldAlong(eye.rims, eye.rims.lower_nodes, kBandwidth, scale, field);
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

// Of lids that pass each other by this much of the opening, how much is to be undone: none within
// what the rims are known to.
double Undone(const Rims& rims, double past) {
  const double met = kMet + rims.scatter / rims.height;
  return SmoothStep(met, met + kPassed, past);
}

// How much of a gap between the rims, in openings, is to be closed; below 0 they pass each other.
double Wanted(const Rims& rims, double gap) {
  return gap * (gap > 0.0 ? SmoothStep(0.0, kNoGap, gap) : Undone(rims, -gap));
}

// The share of the opening that the field leaves, or by which the lids pass each other.
double LeftOpen(const Rims& rims, const Motion& motion) {
  return TypicalOf([&](int c) {
           return std::abs(rims.upper[c].y + motion.upper[c].y - rims.lower[c].y -
                           motion.lower[c].y);
         }) /
         rims.height;
}

double MeetingOf(const Rims& rims, const Motion& motion) {
  // The field says which lid goes how far: a blink comes from above, a smile lifts the lower lid.
  const double up = std::max(TypicalOf([&](int c) { return motion.lower[c].y; }), 0.0);
  // A tall eye is not closed from above alone, even where the field forgets the lower lid.
  const double tall = kTallMeeting * SmoothStep(0.55, 0.8, rims.height / rims.width);
  const double both = up + motion.down;
  return std::clamp(both > 0.0 ? up / both : 0.0, std::max(kLeastMeeting, tall), kMostMeeting);
}

Target TargetOf(const EyeMap& eye, const Motion& motion) {
  const Rims& rims = eye.rims;
  const double meeting = MeetingOf(rims, motion);
  const Parabola line = LineOf(rims, meeting);
  const double own = SmoothStep(0.0, 0.2, meeting);  // of the line, against the lower lid's shape
  // A field that nearly closes the eye knows best where.
  const double knows = 1.0 - SmoothStep(kKnowsFully, kKnowsNothing, LeftOpen(rims, motion));
  const double from_above = std::max(1.0 - meeting, 0.5);  // the upper lid's share
  Target target{rims.lower, rims.lower, rims.lower, rims.upper, rims.lower, 1.0};
  for (int c = 0; c < kColumns; ++c) {
    Vector& on = target.line[c];
    on = rims.lower[c] + meeting * (rims.upper[c] - rims.lower[c]);
    const double t = ShareOfWidth(rims, target.line.ColumnX(c));
    on.y += own * (line.At(t) - on.y);
    // What the field leaves open in this column, each lid makes up for its share of it.
    const double upper = rims.upper[c].y + motion.upper[c].y;
    const double lower = rims.lower[c].y + motion.lower[c].y;
    const double lack = rims.height * Wanted(rims, (upper - lower) / rims.height);
    Vector& above = target.upper_line[c];
    Vector& below = target.lower_line[c];
    above = below = on;
    above.y += knows * (upper - from_above * lack - on.y);
    below.y += knows * (lower + (1.0 - from_above) * lack - on.y);
    on.y = 0.5 * (above.y + below.y);
    const double bulge = 4.0 * meeting * (1.0 - meeting) * eye.eyeball[c].z;
    above.z += bulge;
    below.z += bulge;
    target.upper_move[c] = above - rims.upper[c];
    target.lower_move[c] = below - rims.lower[c];
    target.upper_move[c].z += 0.5 * eye.eyeball[c].z;
  }
  const double way = TypicalOf([&](int c) { return -target.upper_move[c].y; });
  if (motion.down > 0.0) target.gain = std::clamp(way / motion.down, 0.5, kMostGain);
  // In depth rims are known less well than in height: the field has the say, within bounds, and
  // alone where it knows best.
  const double bound = (kDepth + 0.5 * (1.0 - motion.trust)) * rims.height;
  for (int c = 0; c < kColumns; ++c) {
    const Vector upper = target.gain * motion.upper[c];
    const Vector& lower = motion.lower[c];
    Vector& down = target.upper_move[c];
    Vector& raise = target.lower_move[c];
    const auto within = [&](double out) {
      return (1.0 - knows) * std::clamp(out, -bound, bound + kOutward * rims.height);
    };
    down = {motion.upper[c].x, down.y, upper.z + within(down.z - upper.z)};
    raise = {lower.x, raise.y, lower.z + within(raise.z - lower.z)};
  }
  return target;
}

// What is left of a rim node's distance from the rim's line when the lids have met.
double Thickness(const Rims& rims, double distance) {
  return kRimKept * std::clamp(distance, -kThickest * rims.height, kThickest * rims.height);
}

// How sharply the rims are known, 0 to 1.
double Sharpness(const Rims& rims) {
  return 1.0 - SmoothStep(kSharp, kBlurred, rims.scatter / rims.height);
}

// Whether a node that should be on its rim is, for all that its way there says. One that is not
// would be torn from its neighbours. Rims that are sharply known are believed more.
double OnItsRim(const Rims& rims, const Vector& lacks) {
  const double stray = kStray + Sharpness(rims) * (kStrayOfSharp - kStray);
  return Bell(lacks.y, stray * rims.height);
}

// How far a node may stay past the closing line that its own field takes past it.
double Tolerated(const Rims& rims, double past) {
  return std::max(past, 0.0) * (1.0 - Undone(rims, past / rims.height));
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
  const Vector line = target.upper_line.At(p.x);
  const double corner =
      motion.trust * (1.0 - SmoothStep(0.3, 0.7, (upper.y - rims.lower.At(p.x).y) / rims.height));
  const Vector rim = motion.upper.At(p.x);
  Vector move = field + LidShare(member, motion, field.y) * (target.upper_move.At(p.x) - rim);
  move += corner * (target.gain * field - move);
  move.x = field.x;
  Vector on_line = target.upper_move.At(p.x);
  on_line.x = move.x;
  on_line.y = line.y + Thickness(rims, p.y - upper.y) - p.y;
  move += member.near * OnItsRim(rims, on_line - move) * (on_line - move);
  const double floor = std::min(line.y - kPast * rims.height - p.y, 0.0);
  move.y = std::max(move.y, floor - Tolerated(rims, floor - field.y));
  return move;
}

// The lower lid keeps the field and makes up for what its rim lacks.
Vector LowerLid(const Rims& rims, const Member& member, const Motion& motion, const Target& target,
                const Vector& field) {
  const Vector& p = member.position;
  const Vector lower = rims.lower.At(p.x);
  const Vector line = target.lower_line.At(p.x);
  Vector lack = target.lower_move.At(p.x) - motion.lower.At(p.x);
  lack.x = 0.0;
  Vector move = field + member.reach * lack;
  Vector on_line = target.lower_move.At(p.x);
  on_line.x = move.x;
  on_line.y = line.y + Thickness(rims, p.y - lower.y) - p.y;
  move += member.near * OnItsRim(rims, on_line - move) * (on_line - move);
  const double ceiling = std::max(line.y + kPast * rims.height - p.y, 0.0);
  move.y = std::min(move.y, ceiling + Tolerated(rims, field.y - ceiling));
  return move;
}

// How far `move` leaves a node behind the eye, or behind the line between the rims where no eye is
// found.
double BehindEye(const EyeMap& eye, const Member& member, const Vector& move) {
  const Rims& rims = eye.rims;
  const Vector& p = member.position;
  const Vector upper = rims.upper.At(p.x);
  const Vector lower = rims.lower.At(p.x);
  const double opening = upper.y - lower.y;
  if (opening < 0.2 * rims.height) return 0.0;
  const double share = (p.y + move.y - lower.y) / opening;
  const double rest = std::clamp((p.y - lower.y) / opening, 0.0, 1.0);
  const bool inside = p.z < lower.z + rest * (upper.z - lower.z) - kInside * rims.height;
  if (share <= 0.0 || share >= 1.0 || inside) return 0.0;
  const double surface =
      lower.z + share * (upper.z - lower.z) + 4.0 * share * (1.0 - share) * eye.eyeball.At(p.x).z;
  return std::clamp(surface - p.z - move.z, 0.0, kMostLift * rims.height);
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
}

void SlideOverEye(const EyeMap& eye, double closure, absl::Span<const Vector> field,
                  absl::Span<Vector> solution) {
  const Frame& frame = eye.rims.frame;
  const auto behind = [&](const Member& member, absl::Span<const Vector> offsets) {
    return BehindEye(eye, member, (1.0 / closure) * frame.DirectionIn(offsets[member.local]));
  };
  const double forgiven = 1.0 - Sharpness(eye.rims);
  for (const Member& member : eye.members) {
    const double lift = behind(member, solution) - forgiven * behind(member, field);
    if (lift > 0.0) solution[member.local] += (closure * member.inside * lift) * frame.z;
  }
}

double OwnClosing(const EyeMap& eye, absl::Span<const Vector> field) {
  const Motion motion = MotionOf(eye, 1.0, field);
  return TypicalOf([&](int c) { return motion.lower[c].y - motion.upper[c].y; }) / eye.rims.height;
}

void PinRims(const EyeMap& eye, std::vector<char>& pinned) {
  for (const Member& member : eye.members) {
    if (member.near > kPinned) pinned[member.local] = 1;
  }
}

}  // namespace blendwire::contact::internal

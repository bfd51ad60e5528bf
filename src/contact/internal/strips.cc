// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/strips.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <map>

namespace blendwire::contact::internal {
namespace {

// In openings, unless they say otherwise.
constexpr double kTouches = 0.25;    // a root's distance from the skin
constexpr double kByTheRim = 0.25;   // the skin's distance from a rim, where lashes grow
constexpr double kStandsOut = 0.05;  // of lashes, before their skin; an eye lies behind it
constexpr float kMarked = 0.3f;      // what the margins say of a strip that does not stand out
constexpr double kTallest = 1.5;
constexpr double kRootBand = 0.12;      // as near to the skin as the nearest node
constexpr double kTall = 0.35;          // of the width
constexpr double kCompact = 0.15;       // of the width: a single lash, which stays rigid
constexpr double kBeyondCorner = 0.45;  // of the width
constexpr double kSpread = 0.03;        // of the width: how wide a root looks around
constexpr double kLeastShare = 1e-3;
constexpr size_t kMostShares = 12;
// How far a strip's own field is from its skin's, in the skin's motion: a strip that goes along
// keeps its own, one that goes astray is taken along.
constexpr double kWith = 0.35;
constexpr double kAstray = 0.6;

// The opening, or less for an eye so tall that its brow would count as near.
double ScaleOf(const Rims& rims) { return std::min(rims.height, kTall * rims.width); }

struct Piece {
  std::vector<uint32_t> members;  // of the surroundings
  Vector low{1e300, 1e300, 1e300};
  Vector high{-1e300, -1e300, -1e300};
};

using Pieces = std::map<uint32_t, Piece>;  // ordered, so that the strips are

Pieces FindPieces(const Nodes& nodes, const Surroundings& around) {
  Pieces pieces;
  for (uint32_t i = 0; i < around.nodes.size(); ++i) {
    if (around.skin[i]) continue;
    Piece& piece = pieces[nodes.piece[around.nodes[i]]];
    piece.members.push_back(i);
    const Vector& p = around.positions[i];
    piece.low = {std::min(piece.low.x, p.x), std::min(piece.low.y, p.y),
                 std::min(piece.low.z, p.z)};
    piece.high = {std::max(piece.high.x, p.x), std::max(piece.high.y, p.y),
                  std::max(piece.high.z, p.z)};
  }
  return pieces;
}

bool HasStripsSize(const Nodes& nodes, const Rims& rims, uint32_t id, const Piece& piece) {
  return piece.members.size() == nodes.piece_sizes[id] && piece.members.size() > 1 &&
         piece.high.y - piece.low.y < kTallest * rims.height &&
         piece.low.x > rims.from - kBeyondCorner * rims.width &&
         piece.high.x < rims.to + kBeyondCorner * rims.width;
}

// The skin along the rims, by x, so that what is near a point is found at once.
class RimSkin {
 public:
  RimSkin(const Rims& rims, absl::Span<const Member> members) {
    for (const Member& member : members) {
      if (member.distance < kByTheRim * ScaleOf(rims)) skin_.push_back(member);
    }
    std::stable_sort(skin_.begin(), skin_.end(),
                     [](const Member& a, const Member& b) { return a.position.x < b.position.x; });
  }

  bool empty() const { return skin_.empty(); }

  struct Near {
    double distance = 0.0;
    const Member* member = nullptr;
  };

  // The `count` nearest within `limit`, or all there are, nearest first.
  std::vector<Near> NearestTo(const Vector& p, size_t count, double limit) const {
    std::vector<Near> nearest;
    const auto consider = [&](const Member& member) {
      const Vector d = member.position - p;
      const double square = Dot(d, d);
      if (square >= limit * limit) return;
      const Near here{std::sqrt(square), &member};
      const auto place =
          std::upper_bound(nearest.begin(), nearest.end(), here,
                           [](const Near& a, const Near& b) { return a.distance < b.distance; });
      nearest.insert(place, here);
      if (nearest.size() > count) nearest.pop_back();
      if (nearest.size() == count) limit = nearest.back().distance;
    };
    const auto too_far = [&](double dx) { return dx >= limit; };
    auto right = std::lower_bound(skin_.begin(), skin_.end(), p.x,
                                  [](const Member& a, double x) { return a.position.x < x; });
    auto left = right;
    while (true) {
      const bool go_right = right != skin_.end() && !too_far(right->position.x - p.x);
      const bool go_left = left != skin_.begin() && !too_far(p.x - std::prev(left)->position.x);
      if (go_right) consider(*right++);
      if (go_left) consider(*--left);
      if (!go_right && !go_left) return nearest;
    }
  }

 private:
  std::vector<Member> skin_;
};

// Between the rims and behind the line from one to the other: a highlight or a pupil.
bool LiesInTheOpening(const Surroundings& around, const Rims& rims, const Piece& piece) {
  return std::all_of(piece.members.begin(), piece.members.end(), [&](uint32_t member) {
    const Vector& p = around.positions[member];
    const Vector upper = rims.upper.At(p.x);
    const Vector lower = rims.lower.At(p.x);
    const double share = (p.y - lower.y) / std::max(upper.y - lower.y, 1e-12);
    return share > 0.0 && share < 1.0 &&
           p.z < lower.z + share * (upper.z - lower.z) + kStandsOut * ScaleOf(rims);
  });
}

// A piece with where it touches the skin.
struct Standing {
  bool stands = false;
  std::vector<Vector> roots;
};

Standing StandsOn(const RimSkin& skin, const Nodes& nodes, const Surroundings& around,
                  const Rims& rims, const Piece& piece) {
  Standing standing;
  // An eyeball reaches from behind one lid to behind the other.
  const Vector upper = rims.upper.At(0.5 * (piece.low.x + piece.high.x));
  const Vector lower = rims.lower.At(0.5 * (piece.low.x + piece.high.x));
  const double opening = upper.y - lower.y;
  if (opening > 0.3 * rims.height && piece.high.y > upper.y - 0.15 * opening &&
      piece.low.y < lower.y + 0.15 * opening) {
    return standing;
  }
  if (LiesInTheOpening(around, rims, piece)) return standing;
  const double far = 4.0 * kTouches * ScaleOf(rims);
  std::vector<double> distances(piece.members.size(), far);
  double nearest = far;
  Vector touched;
  float margin = 0.0f;
  double most = -std::numeric_limits<double>::max();  // in z
  for (size_t i = 0; i < piece.members.size(); ++i) {
    const uint32_t member = piece.members[i];
    margin = std::max({margin, nodes.margins[kUpperLid][around.nodes[member]],
                       nodes.margins[kLowerLid][around.nodes[member]]});
    most = std::max(most, around.positions[member].z);
    const std::vector<RimSkin::Near> here = skin.NearestTo(around.positions[member], 1, far);
    if (here.empty()) continue;
    distances[i] = here.front().distance;
    if (distances[i] < nearest) {
      nearest = distances[i];
      touched = here.front().member->position;
    }
  }
  const bool out = most > touched.z + kStandsOut * ScaleOf(rims);
  standing.stands = nearest < kTouches * ScaleOf(rims) && (out || margin > kMarked);
  for (size_t i = 0; i < distances.size(); ++i) {
    if (distances[i] < nearest + kRootBand * ScaleOf(rims)) {
      standing.roots.push_back(around.positions[piece.members[i]]);
    }
  }
  return standing;
}

// The place on the rim that a node of the piece stands on: that of the roots nearest to it, so that
// tips which fan out move as their roots do.
Vector RootOf(const Standing& standing, const Rims& rims, bool compact, const Vector& p) {
  double closest = std::numeric_limits<double>::max();
  for (const Vector& root : standing.roots) closest = std::min(closest, Length(p - root));
  Vector sum;
  double weights = 0.0;
  for (const Vector& root : standing.roots) {
    const double weight =
        compact ? 1.0 : Bell(Length(p - root) - closest, 0.05 * rims.width) + 1e-9;
    sum += weight * root;
    weights += weight;
  }
  return (1.0 / weights) * sum;
}

// The skin around a root, by how much it counts.
std::vector<Share> SharesOf(const RimSkin& skin, const Rims& rims, const Vector& root) {
  const std::vector<RimSkin::Near> nearest =
      skin.NearestTo(root, kMostShares, std::numeric_limits<double>::max());
  const double width = nearest.front().distance + kSpread * rims.width;
  std::vector<Share> shares;
  double sum = 0.0;
  for (const RimSkin::Near& near : nearest) {
    const double weight = Bell(near.distance, width);
    if (weight < kLeastShare) break;
    shares.push_back({near.member->local, weight});
    sum += weight;
  }
  for (Share& share : shares) share.weight /= sum;
  return shares;
}

// The motion of the skin under a node.
Vector Under(absl::Span<const Share> shares, absl::Span<const Vector> offsets) {
  Vector move;
  for (const Share& share : shares) move += share.weight * offsets[share.local];
  return move;
}

}  // namespace

std::vector<Strip> FindStrips(const Nodes& nodes, const Surroundings& around, const Rims& rims,
                              absl::Span<const Member> members, RegionBuilder& region) {
  const RimSkin skin(rims, members);
  std::vector<Strip> strips;
  if (skin.empty()) return strips;
  for (const auto& [id, piece] : FindPieces(nodes, around)) {
    if (!HasStripsSize(nodes, rims, id, piece)) continue;
    const Standing standing = StandsOn(skin, nodes, around, rims, piece);
    if (!standing.stands) continue;
    const bool compact = piece.high.x - piece.low.x < kCompact * rims.width;
    Strip strip;
    for (const uint32_t i : piece.members) {
      strip.locals.push_back(region.LocalOf(around.nodes[i]));
      if (compact && !strip.stands_on.empty()) {
        strip.stands_on.push_back(strip.stands_on.front());
        continue;
      }
      const Vector root = RootOf(standing, rims, compact, around.positions[i]);
      strip.stands_on.push_back(SharesOf(skin, rims, root));
    }
    strips.push_back(std::move(strip));
  }
  return strips;
}

void MoveStrips(absl::Span<const Strip> strips, absl::Span<const Vector> field,
                absl::Span<Vector> solution) {
  for (const Strip& strip : strips) {
    double apart = 0.0;
    double moved = 0.0;
    for (size_t i = 0; i < strip.locals.size(); ++i) {
      const Vector under = Under(strip.stands_on[i], field);
      const Vector lack = under - field[strip.locals[i]];
      apart += Dot(lack, lack);
      moved += Dot(under, under);
    }
    const double stray = moved > 0.0 ? SmoothStep(kWith, kAstray, std::sqrt(apart / moved)) : 0.0;
    for (size_t i = 0; i < strip.locals.size(); ++i) {
      const Vector own = field[strip.locals[i]];
      const Vector under = Under(strip.stands_on[i], field);
      const Vector correction = Under(strip.stands_on[i], solution) - under;
      solution[strip.locals[i]] = own + stray * (under - own) + correction;
    }
  }
}

}  // namespace blendwire::contact::internal

// SPDX-License-Identifier: Apache-2.0

#include "mesh/rigid_parts.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "mesh/internal/parts.h"
#include "mesh/internal/surface.h"

namespace blendwire::mesh {
namespace {

using internal::At;
using internal::Cross;
using internal::Dot;
using internal::Minus;
using internal::Parts;
using internal::Plus;
using internal::Vector;
using Matrix = std::array<double, 9>;

constexpr size_t kLeastNodes = 4;
constexpr double kSmall = 0.5;  // of the skin's diagonal
// Edges that only one triangle has, as a share of all edges; below zero where surfaces are doubled.
constexpr double kMostOpen = 0.12;
constexpr double kLeastOpen = -0.05;
constexpr double kRound = 0.2;  // of a ball's radius
constexpr double kFull = 1.4;   // radii that a ball measures at least along each axis
// What a rigid motion leaves over, in the offsets' length.
constexpr double kRigid = 0.25;
constexpr double kBending = 0.35;

Vector Times(const Matrix& m, const Vector& v) {
  return {m[0] * v[0] + m[1] * v[1] + m[2] * v[2], m[3] * v[0] + m[4] * v[1] + m[5] * v[2],
          m[6] * v[0] + m[7] * v[1] + m[8] * v[2]};
}

// The inverse of a symmetric matrix that has no negative eigenvalue. What it maps to nothing, like
// a turn about a line of vertices, must not get large: a millionth of the trace is added.
Matrix Inverse(Matrix m) {
  const double more = 1e-6 * (m[0] + m[4] + m[8]) + std::numeric_limits<double>::min();
  for (size_t i = 0; i < 9; i += 4) m[i] += more;
  const Vector a{m[0], m[1], m[2]};
  const Vector b{m[3], m[4], m[5]};
  const Vector c{m[6], m[7], m[8]};
  const Vector x = Cross(b, c);
  const Vector y = Cross(c, a);
  const Vector z = Cross(a, b);
  const double one_over = 1.0 / Dot(a, x);
  if (!std::isfinite(one_over)) return {};
  Matrix inverse;
  for (size_t i = 0; i < 3; ++i) {
    inverse[3 * i] = x[i] * one_over;
    inverse[3 * i + 1] = y[i] * one_over;
    inverse[3 * i + 2] = z[i] * one_over;
  }
  return inverse;
}

// The sum of v v^T.
struct Spread {
  Matrix sum{};

  void Add(const Vector& v) {
    for (size_t i = 0; i < 3; ++i) {
      for (size_t j = 0; j < 3; ++j) sum[3 * i + j] += v[i] * v[j];
    }
  }
  Matrix Inertia() const {
    const double trace = sum[0] + sum[4] + sum[8];
    Matrix inertia;
    for (size_t i = 0; i < 9; ++i) inertia[i] = (i % 4 == 0 ? trace : 0.0) - sum[i];
    return inertia;
  }
};

struct Box {
  Vector low{1e300, 1e300, 1e300};
  Vector high{-1e300, -1e300, -1e300};

  void Add(const Vector& point) {
    for (size_t axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], point[axis]);
      high[axis] = std::max(high[axis], point[axis]);
    }
  }
  Vector size() const { return Minus(high, low); }
  double diagonal() const { return std::sqrt(Dot(size(), size())); }
};

RigidParts::Pivot PivotAbout(const Vector& center, const std::vector<Vector>& points) {
  Spread spread;
  for (const Vector& point : points) spread.Add(Minus(point, center));
  return {center, Inverse(spread.Inertia())};
}

Vector MeanOf(const std::vector<Vector>& points) {
  Vector mean{};
  for (const Vector& point : points) mean = Plus(mean, point);
  const auto count = static_cast<double>(points.size());
  return {mean[0] / count, mean[1] / count, mean[2] / count};
}

// Whether the points lie on a ball all around; `center` becomes its centre. The fit is linear: from
// |a|^2 = 2 a.s + const for points a about their mean, s = (2 sum a a^T)^-1 sum a |a|^2.
bool IsBall(const std::vector<Vector>& points, const Vector& mean, Vector& center) {
  Spread spread;
  Vector moment{};
  Box box;
  double squares = 0.0;
  for (const Vector& point : points) {
    const Vector a = Minus(point, mean);
    spread.Add(a);
    moment = Plus(moment, a, Dot(a, a));
    squares += Dot(a, a);
    box.Add(point);
  }
  const Vector twice = Times(Inverse(spread.sum), moment);
  const Vector s{0.5 * twice[0], 0.5 * twice[1], 0.5 * twice[2]};
  const double radius = std::sqrt(squares / static_cast<double>(points.size()) + Dot(s, s));
  center = Plus(mean, s);
  for (const double extent : box.size()) {
    if (extent < kFull * radius) return false;
  }
  return std::all_of(points.begin(), points.end(), [&](const Vector& point) {
    const Vector arm = Minus(point, center);
    return std::abs(std::sqrt(Dot(arm, arm)) - radius) <= kRound * radius;
  });
}

// [node_count] the part that each belongs to.
std::vector<uint32_t> PartsOfNodes(const Adjacency& adjacency, const Parts& parts) {
  std::vector<uint32_t> part_of(adjacency.node_count());
  for (size_t part = 0; part < parts.size(); ++part) {
    for (const uint32_t node : parts[part]) part_of[node] = static_cast<uint32_t>(part);
  }
  return part_of;
}

// For each part its triangles, without those that have lost an edge by welding.
std::vector<uint32_t> CountTriangles(const Adjacency& adjacency, const Parts& parts,
                                     absl::Span<const uint32_t> part_of,
                                     absl::Span<const uint32_t> triangles) {
  std::vector<uint32_t> counts(parts.size(), 0);
  for (size_t i = 0; i + 2 < triangles.size(); i += 3) {
    const uint32_t a = adjacency.node_of(triangles[i]);
    const uint32_t b = adjacency.node_of(triangles[i + 1]);
    const uint32_t c = adjacency.node_of(triangles[i + 2]);
    if (a != b && b != c && c != a) ++counts[part_of[a]];
  }
  return counts;
}

// An edge has two triangles, at the rim one: of E edges and T triangles 2 E - 3 T are rims.
bool IsSolid(const Adjacency& adjacency, absl::Span<const uint32_t> nodes, uint32_t triangles) {
  size_t ends = 0;
  for (const uint32_t node : nodes) ends += adjacency.neighbours(node).size();
  const double edges = 0.5 * static_cast<double>(ends);
  const double open = (2.0 * edges - 3.0 * static_cast<double>(triangles)) / edges;
  return open >= kLeastOpen && open <= kMostOpen;
}

// [parts] whether each is small and solid.
std::vector<char> SmallSolids(const Adjacency& adjacency, const Parts& parts,
                              absl::Span<const uint32_t> part_of, absl::Span<const float> vertices,
                              absl::Span<const uint32_t> triangles) {
  std::vector<Box> boxes(parts.size());
  for (size_t v = 0; v < adjacency.vertex_count(); ++v) {
    boxes[part_of[adjacency.node_of(v)]].Add(At(vertices, v));
  }
  size_t skin = 0;
  for (size_t part = 0; part < parts.size(); ++part) {
    if (parts[part].size() > parts[skin].size()) skin = part;
  }
  const std::vector<uint32_t> counts = CountTriangles(adjacency, parts, part_of, triangles);
  std::vector<char> solid(parts.size(), 0);
  for (size_t part = 0; part < parts.size(); ++part) {
    solid[part] = part != skin && parts[part].size() >= kLeastNodes &&
                  boxes[part].diagonal() <= kSmall * boxes[skin].diagonal() &&
                  IsSolid(adjacency, parts[part], counts[part]);
  }
  return solid;
}

// What a part does in one expression.
struct Motion {
  Vector shift{};      // of the middle
  Vector turn{};       // about the middle
  Vector ball_turn{};  // about the ball's centre
  double rigid = 0.0;  // 0 to 1: how far it is a rigid motion
  bool at_rest = false;
};

Motion MotionOf(const RigidParts::Part& part, absl::Span<const uint32_t> members,
                absl::Span<const float> vertices, absl::Span<const float> offsets) {
  Vector sum{};
  Vector moment{};  // about the part's middle
  Vector ball_moment{};
  double energy = 0.0;
  for (const uint32_t v : members) {
    const Vector offset = At(offsets, v);
    const Vector point = At(vertices, v);
    sum = Plus(sum, offset);
    moment = Plus(moment, Cross(Minus(point, part.middle.center), offset));
    if (part.is_ball) {
      ball_moment = Plus(ball_moment, Cross(Minus(point, part.ball.center), offset));
    }
    energy += Dot(offset, offset);
  }
  Motion motion;
  motion.at_rest = energy <= 0.0;
  if (motion.at_rest) return motion;
  const double share = 1.0 / static_cast<double>(members.size());
  motion.shift = {sum[0] * share, sum[1] * share, sum[2] * share};
  motion.turn = Times(part.middle.turn, moment);  // arms add up to nothing, so the shift is in none
  motion.ball_turn = Times(part.ball.turn, ball_moment);
  // Least squares: what is left over is at right angles to the fit.
  const double left = energy - Dot(sum, motion.shift) - Dot(motion.turn, moment);
  const double rest = std::sqrt(std::max(0.0, left / energy));
  const double t = std::clamp((kBending - rest) / (kBending - kRigid), 0.0, 1.0);
  motion.rigid = t * t * (3.0 - 2.0 * t);
  return motion;
}

}  // namespace

RigidParts RigidParts::Build(const Adjacency& adjacency, absl::Span<const float> vertices,
                             absl::Span<const uint32_t> triangles) {
  RigidParts result;
  if (triangles.empty()) return result;
  const Parts parts = Parts::Of(adjacency);
  const std::vector<uint32_t> part_of = PartsOfNodes(adjacency, parts);
  const std::vector<char> solid = SmallSolids(adjacency, parts, part_of, vertices, triangles);
  std::vector<std::vector<uint32_t>> members(parts.size());
  for (uint32_t v = 0; v < adjacency.vertex_count(); ++v) {
    const uint32_t part = part_of[adjacency.node_of(v)];
    if (solid[part] != 0) members[part].push_back(v);
  }
  for (const std::vector<uint32_t>& part : members) {
    if (part.empty()) continue;
    const auto first = static_cast<uint32_t>(result.vertices_.size());
    result.vertices_.insert(result.vertices_.end(), part.begin(), part.end());
    std::vector<Vector> points;
    points.reserve(part.size());
    for (const uint32_t v : part) points.push_back(At(vertices, v));
    const Vector middle = MeanOf(points);
    Vector center{};
    const bool is_ball = IsBall(points, middle, center);
    result.parts_.push_back({first, static_cast<uint32_t>(result.vertices_.size()), is_ball,
                             PivotAbout(middle, points),
                             is_ball ? PivotAbout(center, points) : Pivot{}});
  }
  return result;
}

void MakeRigid(const RigidParts& parts, absl::Span<const float> vertices,
               absl::Span<float> offsets) {
  for (const RigidParts::Part& part : parts.parts()) {
    const auto members = parts.vertices().subspan(part.first, part.last - part.first);
    const Motion motion = MotionOf(part, members, vertices, offsets);
    if (motion.at_rest || (motion.rigid == 0.0 && !part.is_ball)) continue;
    for (const uint32_t v : members) {
      const Vector point = At(vertices, v);
      const Vector own =
          part.is_ball ? Cross(motion.ball_turn, Minus(point, part.ball.center)) : At(offsets, v);
      const Vector rigid = Plus(motion.shift, Cross(motion.turn, Minus(point, part.middle.center)));
      const Vector moved = Plus(own, Minus(rigid, own), motion.rigid);
      for (size_t axis = 0; axis < 3; ++axis) {
        offsets[3 * size_t{v} + axis] = static_cast<float>(moved[axis]);
      }
    }
  }
}

}  // namespace blendwire::mesh

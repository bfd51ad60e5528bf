// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/folds.h"

#include <algorithm>

namespace blendwire::contact::internal {
namespace {

constexpr int kRounds = 12;
constexpr double kSliver = 1e-3;  // twice the area against the squared edges
constexpr double kTurned = 0.01;  // of the cosine between the two normals
constexpr double kTorn = 2.5;     // times its length otherwise

using Triangle = std::array<uint32_t, 3>;

// Slivers, and triangles on the edge of folding, are none: their direction is rounding, and a mesh
// whose vertices come in another order must not be judged otherwise.
bool Folded(const Skin& skin, absl::Span<const Vector> offsets, const Triangle& t) {
  const auto moved = [&](size_t i) { return skin.positions[t[i]] + skin.scale * offsets[t[i]]; };
  const Vector& a = skin.positions[t[0]];
  const Vector ab = skin.positions[t[1]] - a;
  const Vector ac = skin.positions[t[2]] - a;
  const Vector rest = Cross(ab, ac);
  const Vector b = moved(0);
  const Vector now = Cross(moved(1) - b, moved(2) - b);
  const double cosine = Dot(rest, now);  // times both lengths
  if (cosine >= 0.0) return false;       // nearly all: no roots for them
  const double area = Length(rest);
  return area > kSliver * (Dot(ab, ab) + Dot(ac, ac)) && cosine < -kTurned * area * Length(now);
}

// The mean correction of a node's neighbours along the part's triangles.
class NeighbourMeans {
 public:
  explicit NeighbourMeans(size_t locals) : sums_(locals), counts_(locals) {}

  // For the nodes that are `wanted`.
  void Average(const Skin& skin, absl::Span<const Triangle> triangles,
               absl::Span<const Vector> solution, const std::vector<char>& wanted) {
    for (const Triangle& triangle : triangles) {
      for (const uint32_t local : triangle) {
        sums_[local] = {};
        counts_[local] = 0.0;
      }
    }
    for (const Triangle& triangle : triangles) {
      for (size_t i = 0; i < 3; ++i) {
        if (!wanted[triangle[i]]) continue;
        for (size_t other = 1; other < 3; ++other) {
          const uint32_t neighbour = triangle[(i + other) % 3];
          sums_[triangle[i]] += solution[neighbour] - skin.field[neighbour];
          counts_[triangle[i]] += 1.0;
        }
      }
    }
  }

  bool any(size_t local) const { return counts_[local] > 0.0; }
  Vector mean(size_t local) const { return (1.0 / counts_[local]) * sums_[local]; }

 private:
  std::vector<Vector> sums_;
  std::vector<double> counts_;
};

std::vector<Triangle> NewFolds(const Skin& skin, absl::Span<const Triangle> triangles,
                               absl::Span<const Vector> solution) {
  std::vector<Triangle> folds;
  for (const Triangle& triangle : triangles) {
    if (Folded(skin, solution, triangle) && !Folded(skin, skin.field, triangle)) {
      folds.push_back(triangle);
    }
  }
  return folds;
}

std::vector<Triangle> Touching(absl::Span<const Triangle> triangles,
                               const std::vector<char>& marked) {
  std::vector<Triangle> touching;
  for (const Triangle& t : triangles) {
    if (marked[t[0]] || marked[t[1]] || marked[t[2]]) touching.push_back(t);
  }
  return touching;
}

}  // namespace

size_t CountFolds(const Skin& skin, absl::Span<const Vector> offsets) {
  return static_cast<size_t>(
      std::count_if(skin.triangles.begin(), skin.triangles.end(),
                    [&](const Triangle& triangle) { return Folded(skin, offsets, triangle); }));
}

size_t CountTears(const Skin& skin, absl::Span<const Vector> offsets) {
  size_t tears = 0;
  for (const Triangle& t : skin.triangles) {
    for (size_t i = 0; i < 3; ++i) {
      const uint32_t a = t[i];
      const uint32_t b = t[(i + 1) % 3];
      const Vector edge = skin.positions[b] - skin.positions[a];
      const Vector plain = edge + skin.scale * (skin.field[b] - skin.field[a]);
      const Vector now = edge + skin.scale * (offsets[b] - offsets[a]);
      // Squares, without roots.
      if (Dot(now, now) > kTorn * kTorn * std::max(Dot(plain, plain), Dot(edge, edge))) ++tears;
    }
  }
  return tears;
}

void RelaxCorrection(const Skin& skin, const std::vector<char>& pinned, int rounds,
                     absl::Span<Vector> solution) {
  std::vector<char> wanted(solution.size());
  for (size_t local = 0; local < wanted.size(); ++local) wanted[local] = pinned[local] ? 0 : 1;
  NeighbourMeans neighbours(solution.size());
  for (int round = 0; round < rounds; ++round) {
    neighbours.Average(skin, skin.triangles, solution, wanted);
    for (size_t local = 0; local < solution.size(); ++local) {
      if (!wanted[local] || !neighbours.any(local)) continue;
      const Vector own = solution[local] - skin.field[local];
      solution[local] = skin.field[local] + 0.5 * (own + neighbours.mean(local));
    }
  }
}

void MendFolds(const Skin& skin, const std::vector<char>& pinned, absl::Span<Vector> solution) {
  NeighbourMeans neighbours(solution.size());
  std::vector<char> gives_way(solution.size());
  std::vector<Triangle> folds = NewFolds(skin, skin.triangles, solution);
  for (int round = 0; round < kRounds && !folds.empty(); ++round) {
    for (const Triangle& triangle : folds) {
      for (const uint32_t local : triangle) gives_way[local] = pinned[local] ? 0 : 1;
    }
    const std::vector<Triangle> around = Touching(skin.triangles, gives_way);
    neighbours.Average(skin, around, solution, gives_way);
    for (const Triangle& triangle : folds) {
      for (const uint32_t local : triangle) {
        if (!gives_way[local]) continue;
        solution[local] = skin.field[local] + neighbours.mean(local);
        gives_way[local] = 0;
      }
    }
    // Only what has been moved can fold anew; what is pinned stays folded.
    folds = NewFolds(skin, around, solution);
  }
}

}  // namespace blendwire::contact::internal

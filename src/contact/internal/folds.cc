// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/folds.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace blendwire::contact::internal {
namespace {

constexpr int kRounds = 12;

Vector NormalOf(const Vector& a, const Vector& b, const Vector& c) { return Cross(b - a, c - a); }

bool Folded(const FaceMap& face, absl::Span<const Vector> offsets, double scale,
            const std::array<uint32_t, 3>& t) {
  const auto moved = [&](size_t i) { return face.positions[t[i]] + scale * offsets[t[i]]; };
  const Vector rest = NormalOf(face.positions[t[0]], face.positions[t[1]], face.positions[t[2]]);
  return Dot(rest, NormalOf(moved(0), moved(1), moved(2))) < 0.0;
}

// The mean correction of a node's neighbours along the region's triangles.
class NeighbourMeans {
 public:
  // For the nodes that are `wanted`.
  void Average(const FaceMap& face, absl::Span<const Vector> field,
               absl::Span<const Vector> solution, const std::vector<char>& wanted) {
    sums_.assign(face.locals(), Vector{});
    counts_.assign(face.locals(), 0.0);
    for (const auto& triangle : face.triangles) {
      for (size_t i = 0; i < 3; ++i) {
        if (!wanted[triangle[i]]) continue;
        for (size_t other = 1; other < 3; ++other) {
          const uint32_t neighbour = triangle[(i + other) % 3];
          sums_[triangle[i]] += solution[neighbour] - field[neighbour];
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

}  // namespace

void RelaxCorrection(const FaceMap& face, absl::Span<const Vector> field,
                     const std::vector<char>& pinned, int rounds, absl::Span<Vector> solution) {
  std::vector<char> wanted(face.locals());
  for (size_t local = 0; local < face.locals(); ++local) wanted[local] = pinned[local] ? 0 : 1;
  NeighbourMeans neighbours;
  for (int round = 0; round < rounds; ++round) {
    neighbours.Average(face, field, solution, wanted);
    for (size_t local = 0; local < face.locals(); ++local) {
      if (!wanted[local] || !neighbours.any(local)) continue;
      const Vector own = solution[local] - field[local];
      solution[local] = field[local] + 0.5 * (own + neighbours.mean(local));
    }
  }
}

size_t CountFolds(const FaceMap& face, absl::Span<const Vector> offsets, double scale) {
  size_t folds = 0;
  for (const auto& triangle : face.triangles) {
    if (Folded(face, offsets, scale, triangle)) ++folds;
  }
  return folds;
}

void MendFolds(const FaceMap& face, absl::Span<const Vector> field, double scale,
               const std::vector<char>& pinned, absl::Span<Vector> solution) {
  std::vector<char> plain(face.triangles.size());
  for (size_t t = 0; t < face.triangles.size(); ++t) {
    plain[t] = Folded(face, field, scale, face.triangles[t]) ? 1 : 0;
  }
  std::vector<char> gives_way(face.locals());
  NeighbourMeans neighbours;
  for (int round = 0; round < kRounds; ++round) {
    std::fill(gives_way.begin(), gives_way.end(), 0);
    bool any = false;
    for (size_t t = 0; t < face.triangles.size(); ++t) {
      if (plain[t] || !Folded(face, solution, scale, face.triangles[t])) continue;
      for (const uint32_t local : face.triangles[t]) {
        if (pinned[local]) continue;
        gives_way[local] = 1;
        any = true;
      }
    }
    if (!any) return;
    neighbours.Average(face, field, solution, gives_way);
    for (size_t local = 0; local < face.locals(); ++local) {
      if (gives_way[local]) solution[local] = field[local] + neighbours.mean(local);
    }
  }
}

}  // namespace blendwire::contact::internal

// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/mirror_plane.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace blendwire::mesh::internal {
namespace {

constexpr size_t kSample = 256;
// Looking for pairs means comparing with all points.
constexpr size_t kPairSample = 64;
// A point that has more others at its height and depth says nothing: it is one of a row.
constexpr size_t kMaxPairs = 32;
constexpr double kGoodShare = 0.5;

// Every n-th point, at most `count`.
std::vector<size_t> Sample(size_t points, size_t count) {
  const size_t step = (points + count - 1) / count;
  std::vector<size_t> sample;
  for (size_t i = step / 2; i < points; i += step) sample.push_back(i);
  return sample;
}

// How many of a sample have a mirror image.
double ShareMirrored(absl::Span<const Vector> points, const PointGrid& grid, double plane) {
  const std::vector<size_t> sample = Sample(points.size(), kSample);
  size_t mirrored = 0;
  for (const size_t i : sample) {
    bool any = false;
    grid.ForEachNear(Mirrored(points[i], plane), [&any](uint32_t, double) { any = true; });
    if (any) ++mirrored;
  }
  return static_cast<double>(mirrored) / static_cast<double>(sample.size());
}

// Appends the middles between `point` and the others at its height and depth.
void AddMiddles(absl::Span<const Vector> points, size_t point, double reach,
                std::vector<double>& middles) {
  const size_t before = middles.size();
  const Vector own = points[point];
  for (size_t i = 0; i < points.size(); ++i) {
    const Vector& other = points[i];
    if (std::abs(other[2] - own[2]) > reach || std::abs(other[1] - own[1]) > reach || i == point) {
      continue;
    }
    middles.push_back(0.5 * (own[0] + other[0]));
    if (middles.size() - before > kMaxPairs) return middles.resize(before);
  }
}

// The plane that most pairs of points speak for.
std::optional<double> PlaneOfPairs(absl::Span<const Vector> points, double reach) {
  std::vector<double> middles;
  for (const size_t i : Sample(points.size(), kPairSample)) AddMiddles(points, i, reach, middles);
  std::sort(middles.begin(), middles.end());
  size_t best = 0;
  size_t most = 1;
  for (size_t begin = 0, end = 0; begin < middles.size(); ++begin) {
    while (end < middles.size() && middles[end] <= middles[begin] + reach) ++end;
    if (end - begin > most) {
      best = begin;
      most = end - begin;
    }
  }
  if (most == 1) return std::nullopt;
  return middles[best + most / 2];
}

}  // namespace

double FindMirrorPlane(absl::Span<const Vector> points, const PointGrid& grid, double reach,
                       const Vector& low, const Vector& high) {
  double best = 0.5 * (low[0] + high[0]);
  double best_share = ShareMirrored(points, grid, best);
  const auto consider = [&](double plane) {
    const double share = ShareMirrored(points, grid, plane);
    if (share <= best_share) return;
    best = plane;
    best_share = share;
  };
  if (best_share < kGoodShare) consider(0.0);
  if (best_share < kGoodShare) {
    if (const std::optional<double> plane = PlaneOfPairs(points, reach)) consider(*plane);
  }
  return best;
}

}  // namespace blendwire::mesh::internal

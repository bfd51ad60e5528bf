// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/curve.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace blendwire::contact::internal {
namespace {

constexpr double kThinnest = 0.2;  // of the least bandwidth, between samples
constexpr size_t kNearest = 6;     // samples that a column should see
// What a sample counts for at the least, so that a column far from all has a value, too; and where
// exp(-x) does not change a bit of it any more.
constexpr double kLeastBell = 1e-12;
constexpr double kVanishes = 66.0;

// The distance from `x` within which kNearest samples lie; they come by x.
double ReachOf(absl::Span<const Sample> samples, double x) {
  const Sample* right = std::lower_bound(samples.begin(), samples.end(), x,
                                         [](const Sample& sample, double at) { return sample.x < at; });
  const Sample* left = right;
  double reach = 0.0;
  for (size_t i = 0; i < std::min(kNearest, samples.size()); ++i) {
    const bool from_left = right == samples.end() ||
                           (left != samples.begin() && x - std::prev(left)->x < right->x - x);
    reach = from_left ? x - (--left)->x : (right++)->x - x;
  }
  return reach;
}

Vector Regress(absl::Span<const Sample> samples, double x, double width) {
  // A slope that few samples support is held back: it would run away beyond the last of them.
  const double ridge = 0.05 * width * width;
  double s0 = 0.0;
  double s1 = 0.0;
  double s2 = 0.0;
  Vector m0;
  Vector m1;
  for (const Sample& sample : samples) {
    const double d = sample.x - x;
    const double t = d / width;
    const double half_square = 0.5 * t * t;
    const double bell = half_square < kVanishes ? std::exp(-half_square) : 0.0;
    const double weight = sample.weight * (bell + kLeastBell);
    s0 += weight;
    s1 += weight * d;
    s2 += weight * d * d;
    m0 += weight * sample.value;
    m1 += (weight * d) * sample.value;
  }
  if (s0 <= 0.0) return {};
  const double mean = s1 / s0;
  const double spread = s2 - s1 * mean + ridge * s0;
  const Vector slope = (1.0 / spread) * (m1 - mean * m0);
  return (1.0 / s0) * m0 - mean * slope;
}

std::vector<Sample> ByX(absl::Span<const Sample> samples) {
  std::vector<Sample> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Sample& a, const Sample& b) { return a.x < b.x; });
  return sorted;
}

// The samples by x. Many that lie closer together than any column can tell apart count as few.
std::vector<Sample> Thinned(absl::Span<const Sample> samples, double spacing) {
  double from = std::numeric_limits<double>::max();
  double to = std::numeric_limits<double>::lowest();
  for (const Sample& sample : samples) {
    from = std::min(from, sample.x);
    to = std::max(to, sample.x);
  }
  const double bins = (to - from) / spacing + 1.0;
  if (!(bins < 0.5 * static_cast<double>(samples.size()))) return ByX(samples);
  std::vector<Sample> sums(static_cast<size_t>(bins) + 1);
  for (const Sample& sample : samples) {
    Sample& sum = sums[static_cast<size_t>((sample.x - from) / spacing)];
    sum.x += sample.weight * sample.x;
    sum.value += sample.weight * sample.value;
    sum.weight += sample.weight;
  }
  std::erase_if(sums, [](const Sample& sum) { return sum.weight <= 0.0; });
  for (Sample& sum : sums) {
    sum.x /= sum.weight;
    sum.value = (1.0 / sum.weight) * sum.value;
  }
  return sums;
}

}  // namespace

Curve::Curve(double from, double to, int columns)
    : from_(from), step_((to - from) / (columns - 1)), values_(static_cast<size_t>(columns)) {}

Vector Curve::At(double x) const {
  const double position =
      std::clamp((x - from_) / step_, 0.0, static_cast<double>(values_.size() - 1));
  const size_t left = std::min(static_cast<size_t>(position), values_.size() - 2);
  const double share = position - static_cast<double>(left);
  return (1.0 - share) * values_[left] + share * values_[left + 1];
}

Curve FitCurve(absl::Span<const Sample> samples, double from, double to, int columns,
               const Bandwidth& bandwidth) {
  Curve curve(from, to, columns);
  const std::vector<Sample> thinned = Thinned(samples, kThinnest * bandwidth.least);
  for (int column = 0; column < columns; ++column) {
    const double x = curve.ColumnX(column);
    const double width = std::clamp(0.6 * ReachOf(thinned, x), bandwidth.least, bandwidth.most);
    curve[column] = Regress(thinned, x, width);
  }
  return curve;
}

}  // namespace blendwire::contact::internal

// SPDX-License-Identifier: Apache-2.0

#include "server/histogram.h"

#include <algorithm>
#include <cmath>

namespace blendwire::server {

void Histogram::Record(absl::Duration duration) {
  duration = std::max(duration, absl::ZeroDuration());
  const double steps =
      std::log(std::max(1.0, absl::ToDoubleMicroseconds(duration))) / std::log(kGrowth);
  ++buckets_[static_cast<size_t>(std::min(static_cast<double>(kBuckets - 1), steps))];
  min_ = count_ == 0 ? duration : std::min(min_, duration);
  max_ = std::max(max_, duration);
  sum_ += duration;
  ++count_;
}

absl::Duration Histogram::mean() const {
  return count_ == 0 ? absl::ZeroDuration() : sum_ / count_;
}

absl::Duration Histogram::Quantile(double fraction) const {
  if (count_ == 0) return absl::ZeroDuration();
  const auto rank = std::max<int64_t>(
      1, static_cast<int64_t>(std::ceil(fraction * static_cast<double>(count_))));
  int64_t seen = 0;
  size_t bucket = 0;
  while (bucket + 1 < kBuckets && (seen += buckets_[bucket]) < rank) ++bucket;
  // The middle of the bucket, on the logarithmic scale.
  const double micros = std::pow(kGrowth, static_cast<double>(bucket) + 0.5);
  return std::clamp(absl::Microseconds(micros), min_, max_);
}

}  // namespace blendwire::server

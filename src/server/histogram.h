// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_HISTOGRAM_H_
#define BLENDWIRE_SERVER_HISTOGRAM_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace blendwire::server {

// Counts durations in buckets of constant relative width, 1 microsecond to 3 hours, so that a
// percentile is known to within 2.5 % at a constant cost in memory (as HdrHistogram does it). Not
// thread-safe.
class Histogram {
 public:
  void Record(absl::Duration duration);

  int64_t count() const { return count_; }
  absl::Duration sum() const { return sum_; }
  absl::Duration max() const { return max_; }
  absl::Duration min() const { return min_; }  // zero if nothing was recorded
  absl::Duration mean() const;

  // The duration that `fraction` (0 to 1) of the records do not exceed; zero if there are none.
  // Never above max() or below min().
  absl::Duration Quantile(double fraction) const;

 private:
  static constexpr double kGrowth = 1.05;
  static constexpr size_t kBuckets = 480;  // 1.05^480 microseconds are 4 hours

  std::array<int64_t, kBuckets> buckets_ = {};
  int64_t count_ = 0;
  absl::Duration sum_;
  absl::Duration max_;
  absl::Duration min_;
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_HISTOGRAM_H_

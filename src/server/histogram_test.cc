// SPDX-License-Identifier: Apache-2.0

#include "server/histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace blendwire::server {
namespace {

TEST(HistogramTest, AnEmptyOneIsAllZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.mean(), absl::ZeroDuration());
  EXPECT_EQ(histogram.min(), absl::ZeroDuration());
  EXPECT_EQ(histogram.max(), absl::ZeroDuration());
  EXPECT_EQ(histogram.Quantile(0.5), absl::ZeroDuration());
}

TEST(HistogramTest, OneRecordIsEveryQuantileExactly) {
  Histogram histogram;
  histogram.Record(absl::Microseconds(12345));
  for (const double fraction : {0.0, 0.5, 0.99, 1.0}) {
    EXPECT_EQ(histogram.Quantile(fraction), absl::Microseconds(12345));
  }
  EXPECT_EQ(histogram.mean(), absl::Microseconds(12345));
}

TEST(HistogramTest, SumMeanAndExtremesAreExact) {
  Histogram histogram;
  for (const int ms : {30, 10, 20}) histogram.Record(absl::Milliseconds(ms));
  EXPECT_EQ(histogram.count(), 3);
  EXPECT_EQ(histogram.sum(), absl::Milliseconds(60));
  EXPECT_EQ(histogram.mean(), absl::Milliseconds(20));
  EXPECT_EQ(histogram.min(), absl::Milliseconds(10));
  EXPECT_EQ(histogram.max(), absl::Milliseconds(30));
}

// Against the sorted list, over times from microseconds to minutes.
TEST(HistogramTest, QuantilesAreWithinTwoAndAHalfPercent) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 generator(seed);
    std::lognormal_distribution<double> micros(seed % 2 == 0 ? 9.0 : 4.0, 2.0);
    Histogram histogram;
    std::vector<absl::Duration> sorted(500 + 37 * seed);
    for (absl::Duration& duration : sorted) {
      duration = absl::Microseconds(1.0 + micros(generator));
      histogram.Record(duration);
    }
    std::sort(sorted.begin(), sorted.end());
    for (const double fraction : {0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0}) {
      const auto rank =
          static_cast<size_t>(std::ceil(fraction * static_cast<double>(sorted.size())));
      const double exact = absl::ToDoubleSeconds(sorted[rank - 1]);
      EXPECT_NEAR(absl::ToDoubleSeconds(histogram.Quantile(fraction)), exact, 0.0251 * exact)
          << "seed " << seed << ", fraction " << fraction;
    }
    EXPECT_LE(histogram.Quantile(1.0), histogram.max());
    EXPECT_GE(histogram.Quantile(0.0), histogram.min());
  }
}

TEST(HistogramTest, TakesTimesOutsideItsBuckets) {
  Histogram histogram;
  histogram.Record(absl::Nanoseconds(10));
  histogram.Record(-absl::Seconds(1));  // the clock was set back
  EXPECT_EQ(histogram.min(), absl::ZeroDuration());
  EXPECT_LE(histogram.Quantile(0.5), absl::Nanoseconds(10));
  histogram.Record(absl::Hours(100));
  histogram.Record(absl::InfiniteDuration());
  EXPECT_EQ(histogram.count(), 4);
  EXPECT_GE(histogram.Quantile(1.0), absl::Hours(3));
}

}  // namespace
}  // namespace blendwire::server

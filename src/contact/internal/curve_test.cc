// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/curve.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "gtest/gtest.h"

namespace blendwire::contact::internal {
namespace {

std::vector<Sample> Line(int count) {
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) {
    const double x = static_cast<double>(i) / (count - 1);
    samples.push_back({x, {x, 3.0 - 2.0 * x, 0.5 + 0.25 * x}, 1.0});
  }
  return samples;
}

TEST(Curve, IsLinearBetweenColumnsAndConstantBeyond) {
  Curve curve(1.0, 3.0, 3);
  curve[0] = {0.0, 1.0, 0.0};
  curve[1] = {0.0, 5.0, 0.0};
  curve[2] = {0.0, 6.0, 0.0};
  EXPECT_DOUBLE_EQ(curve.ColumnX(1), 2.0);
  EXPECT_DOUBLE_EQ(curve.At(1.25).y, 2.0);
  EXPECT_DOUBLE_EQ(curve.At(2.5).y, 5.5);
  EXPECT_DOUBLE_EQ(curve.At(-7.0).y, 1.0);
  EXPECT_DOUBLE_EQ(curve.At(3.0).y, 6.0);
  EXPECT_DOUBLE_EQ(curve.At(9.0).y, 6.0);
}

// Local-linear regression is exact on a line but for the ridge, which bends its ends a little.
TEST(FitCurve, FollowsALine) {
  const std::vector<Sample> samples = Line(60);
  const Curve curve = FitCurve(samples, 0.0, 1.0, 21, {0.03, 0.2});
  for (int c = 0; c < 21; ++c) {
    const double x = curve.ColumnX(c);
    EXPECT_NEAR(curve[c].y, 3.0 - 2.0 * x, 0.02);
    EXPECT_NEAR(curve[c].z, 0.5 + 0.25 * x, 0.003);
  }
}

TEST(FitCurve, WeighsItsSamples) {
  std::vector<Sample> samples = Line(40);
  for (size_t i = 0; i < 40; ++i) {  // a second line, one above, which hardly counts
    Sample other = samples[i];
    other.value.y += 1.0;
    other.weight = 1e-6;
    samples.push_back(other);
  }
  const Curve curve = FitCurve(samples, 0.0, 1.0, 11, {0.05, 0.2});
  for (int c = 0; c < 11; ++c) EXPECT_NEAR(curve[c].y, 3.0 - 2.0 * curve.ColumnX(c), 0.03);
}

// Against the weighted least squares' own definition: no other line through the column has a
// smaller sum of squares, with the ridge as a penalty on the slope.
TEST(FitCurve, MinimisesTheWeightedSquares) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> unit(0.0, 1.0);
  std::vector<Sample> samples;
  for (int i = 0; i < 80; ++i)
    samples.push_back({unit(random), {0.0, unit(random), 0.0}, unit(random)});
  constexpr double kWidth = 0.1;
  const Curve curve = FitCurve(samples, 0.0, 1.0, 9, {kWidth, kWidth});
  for (int c = 0; c < 9; ++c) {
    const double x = curve.ColumnX(c);
    double total = 0.0;
    double mean = 0.0;
    const auto weight = [&](const Sample& s) {
      const double t = (s.x - x) / kWidth;
      return s.weight * std::exp(-0.5 * t * t);
    };
    for (const Sample& s : samples) {
      total += weight(s);
      mean += weight(s) * (s.x - x);
    }
    mean /= total;
    const auto cost = [&](double at_x, double slope) {
      // The penalty holds the slope back around the samples' centre.
      double sum = 0.05 * kWidth * kWidth * total * slope * slope;
      for (const Sample& s : samples) {
        const double off = s.value.y - at_x - slope * (s.x - x);
        sum += weight(s) * off * off;
      }
      return sum;
    };
    double best = 1e300;
    double best_at = 0.0;
    for (double slope = -6.0; slope <= 6.0; slope += 0.005) {
      double level = 0.0;
      for (const Sample& s : samples) level += weight(s) * (s.value.y - slope * (s.x - x));
      level /= total;
      if (const double here = cost(level, slope); here < best) {
        best = here;
        best_at = level;
      }
    }
    EXPECT_NEAR(curve[c].y, best_at, 1e-3) << "column " << c << ", samples' centre " << mean;
  }
}

TEST(FitCurve, OneSampleIsAConstant) {
  const std::vector<Sample> samples = {{0.5, {0.0, 2.0, 3.0}, 0.7}};
  const Curve curve = FitCurve(samples, 0.0, 1.0, 5, {0.05, 0.1});
  for (int c = 0; c < 5; ++c) {
    EXPECT_NEAR(curve[c].y, 2.0, 1e-9);
    EXPECT_NEAR(curve[c].z, 3.0, 1e-9);
  }
}

// Beyond all samples, and between two groups of them, where every one is many widths away.
TEST(FitCurve, HasAValueFarFromAllSamples) {
  std::vector<Sample> samples;
  for (const double x : {0.0, 0.001, 0.002, 0.998, 0.999, 1.0}) {
    samples.push_back({x, {0.0, 1.0, 2.0}, 1.0});
  }
  const Curve curve = FitCurve(samples, -3.0, 4.0, 15, {0.01, 0.02});
  for (int c = 0; c < 15; ++c) {
    EXPECT_NEAR(curve[c].y, 1.0, 1e-9);
    EXPECT_NEAR(curve[c].z, 2.0, 1e-9);
  }
}

TEST(FitCurve, SamplesMayComeInAnyOrder) {
  std::vector<Sample> samples = Line(50);
  const Curve curve = FitCurve(samples, 0.0, 1.0, 21, {0.03, 0.2});
  std::shuffle(samples.begin(), samples.end(), std::mt19937(3));
  const Curve shuffled = FitCurve(samples, 0.0, 1.0, 21, {0.03, 0.2});
  for (int c = 0; c < 21; ++c) EXPECT_NEAR(shuffled[c].y, curve[c].y, 1e-12);
}

}  // namespace
}  // namespace blendwire::contact::internal

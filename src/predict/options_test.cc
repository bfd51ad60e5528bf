// SPDX-License-Identifier: Apache-2.0

#include "predict/options.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::predict {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string WhyNot(const Options& options) {
  const absl::Status status = options.Validate();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(OptionsTest, TheDefaultsAreValidAndDoNothing) {
  const Options options;
  EXPECT_TRUE(options.Validate().ok());
  EXPECT_EQ(options.effective_iterations(), 0);
  EXPECT_EQ(options.timeout(), absl::InfiniteDuration());
}

TEST(OptionsTest, SmoothingTakesTwoIterationsUnlessTold) {
  EXPECT_EQ((Options{.apply_smoothing = true}).effective_iterations(), 2);
  EXPECT_EQ((Options{.apply_smoothing = true, .smoothing_iterations = 7}).effective_iterations(),
            7);
  EXPECT_EQ((Options{.apply_smoothing = false, .smoothing_iterations = 7}).effective_iterations(),
            0);
}

TEST(OptionsTest, TheClampIsEightCentimetresUnlessTold) {
  EXPECT_EQ(Options{}.effective_max_displacement(), 0.08f);
  EXPECT_EQ((Options{.max_displacement = 0.5f}).effective_max_displacement(), 0.5f);
}

TEST(OptionsTest, TimeoutIsInSeconds) {
  EXPECT_EQ((Options{.timeout_seconds = 90}).timeout(), absl::Seconds(90));
}

TEST(OptionsTest, TheLimitsThemselvesAreAllowed) {
  EXPECT_TRUE((Options{.smoothing_iterations = 100}).Validate().ok());
  EXPECT_TRUE((Options{.max_displacement = 100.0f}).Validate().ok());
  EXPECT_TRUE((Options{.timeout_seconds = 86400}).Validate().ok());
}

TEST(OptionsTest, IterationsOutOfRangeAreNamed) {
  for (const int value : {-1, 101, std::numeric_limits<int>::max()}) {
    EXPECT_THAT(WhyNot({.smoothing_iterations = value}),
                AllOf(HasSubstr("options.smoothing_iterations is " + std::to_string(value)),
                      HasSubstr("100")));
  }
}

TEST(OptionsTest, DisplacementOutOfRangeIsNamed) {
  using Limits = std::numeric_limits<float>;
  for (const float value :
       {-0.001f, 100.01f, Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()}) {
    EXPECT_THAT(WhyNot({.max_displacement = value}),
                AllOf(HasSubstr("options.max_displacement is "), HasSubstr("100 m")));
  }
}

TEST(OptionsTest, TimeoutOutOfRangeIsNamed) {
  for (const int value : {-1, 86401}) {
    EXPECT_THAT(WhyNot({.timeout_seconds = value}),
                AllOf(HasSubstr("options.timeout_seconds is " + std::to_string(value)),
                      HasSubstr("86400")));
  }
}

}  // namespace
}  // namespace blendwire::predict

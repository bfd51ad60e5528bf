// SPDX-License-Identifier: Apache-2.0

#include "predict/closure.h"

#include <vector>

#include "gtest/gtest.h"

namespace blendwire::predict {
namespace {

// Blink left, Joy, PP, and a slot that closes nothing.
const std::vector<model::ContactShare> kShares = {
    {.left_lid = 1.0f},
    {.left_lid = 1.0f, .right_lid = 1.0f, .least_own_lids = 0.5f},
    {.lips = 0.8f},
    {}};

contact::Closure Of(const std::vector<float>& condition) { return ClosureOf(condition, kShares); }

TEST(ClosureTest, FollowsTheWeight) {
  EXPECT_DOUBLE_EQ(Of({0.5f, 0, 0, 0}).left_lid, 0.5);
  EXPECT_DOUBLE_EQ(Of({0.5f, 0, 0, 0}).right_lid, 0.0);
  EXPECT_DOUBLE_EQ(Of({0, 0, 0.5f, 0}).lips, double{0.8f} / 2);
}

TEST(ClosureTest, AddsUpToOne) {
  const contact::Closure closure = Of({0.75f, 0.5f, 1, 1});
  EXPECT_DOUBLE_EQ(closure.left_lid, 1.0);
  EXPECT_DOUBLE_EQ(closure.right_lid, 0.5);
  EXPECT_DOUBLE_EQ(closure.lips, double{0.8f});
}

TEST(ClosureTest, AsksOfTheModelsFieldWhatTheMildestSlotAsks) {
  EXPECT_DOUBLE_EQ(Of({0, 1, 0, 0}).least_own_lids, 0.5);
  EXPECT_DOUBLE_EQ(Of({0.1f, 1, 0, 0}).least_own_lids, 0.0);
  EXPECT_DOUBLE_EQ(Of({0, 0, 1, 1}).least_own_lids, 0.0);
}

TEST(ClosureTest, NothingClosesWithoutShares) {
  const contact::Closure closure = ClosureOf(std::vector<float>{1, 1, 1, 1}, {});
  EXPECT_EQ(closure.left_lid + closure.right_lid + closure.lips, 0.0);
}

TEST(ClosureTest, WeightsOutsideOfTheirRangeCountAsItsEnds) {
  EXPECT_DOUBLE_EQ(Of({-1, 0, 7, 0}).left_lid, 0.0);
  EXPECT_DOUBLE_EQ(Of({-1, 0, 7, 0}).lips, double{0.8f});
}

}  // namespace
}  // namespace blendwire::predict

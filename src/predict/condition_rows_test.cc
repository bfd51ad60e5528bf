// SPDX-License-Identifier: Apache-2.0

#include "predict/condition_rows.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::predict {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Slots: smileLeft, jawOpen, smileRight.
const std::vector<size_t> kMirroredSlots = {2, 1, 0};

ConditionRows Rows(const std::vector<std::vector<float>>& conditions,
                   const std::vector<size_t>& mirrored_slots = kMirroredSlots) {
  std::vector<absl::Span<const float>> spans(conditions.begin(), conditions.end());
  return RowsOf(spans, mirrored_slots);
}

TEST(ConditionRowsTest, WithoutMirroringTheyAreWhatIsWanted) {
  const ConditionRows rows = Rows({{1, 0, 0}, {0, 1, 0}}, {});
  EXPECT_EQ(rows.count, 2u);
  EXPECT_THAT(rows.values, ElementsAre(1, 0, 0, 0, 1, 0));
  EXPECT_THAT(rows.mirrored, IsEmpty());
}

TEST(ConditionRowsTest, AnExpressionMayBeItsOwnMirrorImage) {
  const ConditionRows rows = Rows({{0.5f, 1, 0.5f}, {0, 0, 0}});
  EXPECT_EQ(rows.count, 2u);
  EXPECT_THAT(rows.mirrored, ElementsAre(0, 1));
}

TEST(ConditionRowsTest, BothSidesAreEachOthers) {
  const ConditionRows rows = Rows({{1, 0.5f, 0}, {0, 1, 0}, {0, 0.5f, 1}});
  EXPECT_EQ(rows.count, 3u);
  EXPECT_THAT(rows.mirrored, ElementsAre(2, 1, 0));
}

TEST(ConditionRowsTest, WhatIsMissingIsAppendedOnce) {
  const ConditionRows rows = Rows({{1, 0, 0}, {0.25f, 0, 1}, {1, 0, 0}});
  EXPECT_EQ(rows.count, 5u);
  EXPECT_THAT(rows.values, ElementsAre(1, 0, 0, 0.25f, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0.25f));
  EXPECT_THAT(rows.mirrored, ElementsAre(3, 4, 3));
}

}  // namespace
}  // namespace blendwire::predict

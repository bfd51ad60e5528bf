// SPDX-License-Identifier: Apache-2.0

#include "model/mirrored_slots.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::model {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MirroredSlotsTest, SidesAreExchangedByName) {
  const std::vector<std::string> slots = {
      "eyeLookInLeft", "mouthRight", "jawOpen", "mouthLeft", "smile_R",     "eyeLookInRight",
      "viseme_aa",     "smile_L",    "brow.L",  "brow.R",    "cheek_right", "cheek_left"};
  const auto mirrored = MirroredSlots(slots);
  ASSERT_TRUE(mirrored.ok()) << mirrored.status();
  EXPECT_THAT(*mirrored, ElementsAre(5, 3, 2, 1, 7, 0, 6, 4, 9, 8, 11, 10));
}

TEST(MirroredSlotsTest, OnlyAWholeWordIsASide) {
  const std::vector<std::string> slots = {"viseme_RR", "LeftOver", "aLefty", "R", "bright"};
  const auto mirrored = MirroredSlots(slots);
  ASSERT_TRUE(mirrored.ok()) << mirrored.status();
  EXPECT_THAT(*mirrored, ElementsAre(0, 1, 2, 3, 4));
}

TEST(MirroredSlotsTest, ASideAloneIsNamed) {
  const auto mirrored = MirroredSlots(std::vector<std::string>{"jawOpen", "jawLeft"});
  EXPECT_EQ(mirrored.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(mirrored.status().message()),
              AllOf(HasSubstr("blendwire.mirror"), HasSubstr("jawLeft"), HasSubstr("jawRight")));
}

}  // namespace
}  // namespace blendwire::model

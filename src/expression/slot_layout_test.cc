// SPDX-License-Identifier: Apache-2.0

#include "expression/slot_layout.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "expression/table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::expression {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Expression& Any(absl::string_view name) { return *Table::Get().FindAny(name); }

TEST(SlotLayoutTest, TheStandardLayoutIsTheDocumentedOne) {
  const SlotLayout layout = SlotLayout::Standard();
  EXPECT_TRUE(layout.is_standard());
  EXPECT_EQ(layout.size(), 64u);
  EXPECT_EQ(layout.names()[0], "viseme");
  EXPECT_EQ(layout.names()[1], "emotion");
  EXPECT_EQ(layout.names()[2], "intensity");
  EXPECT_EQ(layout.names()[3], "custom");
  EXPECT_EQ(layout.names()[4], "browDownLeft");
  EXPECT_EQ(layout.names()[55], "tongueOut");
  EXPECT_EQ(layout.names()[56], "free0");
  EXPECT_EQ(layout.names()[63], "free7");
  EXPECT_EQ(layout.SlotOf(Any("browDownLeft")), 4u);
  EXPECT_EQ(layout.SlotOf(Any("jawOpen")), 28u);
  EXPECT_EQ(layout.SlotOf(Any("tongueOut")), 55u);
  EXPECT_EQ(layout.SlotOfUnit(24), 28u);
  EXPECT_EQ(layout.SlotOf(Any("aa")), std::nullopt);
  // Its flags are no slots that a caller could name.
  EXPECT_EQ(layout.SlotNamed("intensity"), std::nullopt);
}

TEST(SlotLayoutTest, AModelsNamesAreUnderstoodInAnySpelling) {
  const auto layout = SlotLayout::FromNames({"viseme_aa", "emotion_Joy", "jawOpen", "eyeBlink_L",
                                             "vrc.v_oh", "viseme_ee", "earWiggle", "emotion_Fear"});
  ASSERT_TRUE(layout.ok()) << layout.status();
  EXPECT_FALSE(layout->is_standard());
  EXPECT_EQ(layout->size(), 8u);
  EXPECT_EQ(layout->SlotOf(Any("aa")), 0u);
  EXPECT_EQ(layout->SlotOf(Any("Joy")), 1u);
  EXPECT_EQ(layout->SlotOf(Any("jawOpen")), 2u);
  EXPECT_EQ(layout->SlotOf(Any("eyeBlinkLeft")), 3u);
  EXPECT_EQ(layout->SlotOf(Any("oh")), 4u);
  EXPECT_EQ(layout->SlotOf(Any("E")), 5u);
  EXPECT_EQ(layout->SlotOf(Any("PP")), std::nullopt);
  EXPECT_EQ(layout->SlotNamed("earWiggle"), 6u);
  EXPECT_EQ(layout->SlotNamed("earwiggle"), std::nullopt);
  EXPECT_EQ(layout->SlotOfUnit(24), 2u);
  EXPECT_EQ(layout->SlotOfUnit(0), std::nullopt);
}

TEST(SlotLayoutTest, SaysWhatIsWrongWithNames) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> rows = {
      {{}, "there are 0, but must be 1 to 4096"},
      {std::vector<std::string>(4097, "x"), "there are 4097, but"},
      {{"a1", ""}, "condition slot 1 has no name"},
      {{"x1", "x2", "x1"}, "condition slots 0 (\"x1\") and 2 (\"x1\") mean the same"},
      {{"viseme_aa", "jawOpen", "viseme_A"},
       "condition slots 0 (\"viseme_aa\") and 2 (\"viseme_A\") mean the same"}};
  for (const auto& [names, message] : rows) {
    const auto layout = SlotLayout::FromNames(names);
    EXPECT_EQ(layout.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(layout.status().message()), HasSubstr(message));
  }
}

TEST(SupportedExpressionsTest, TheStandardLayoutMakesEverything) {
  const std::vector<std::string> supported = SupportedExpressions(SlotLayout::Standard());
  ASSERT_EQ(supported.size(), Table::Get().expressions().size());
  for (size_t i = 0; i < supported.size(); ++i) {
    EXPECT_EQ(supported[i], Table::Get().expressions()[i].name);
  }
}

TEST(SupportedExpressionsTest, AModelMakesWhatItHasSlotsOrUnitsFor) {
  // browInnerUp is part of Sorrow and Surprised.
  const auto layout = SlotLayout::FromNames({"earWiggle", "viseme_aa", "browInnerUp"});
  ASSERT_TRUE(layout.ok());
  EXPECT_THAT(SupportedExpressions(*layout), ElementsAre("sil", "aa", "Sorrow", "Surprised",
                                                         "Neutral", "browInnerUp", "earWiggle"));
}

}  // namespace
}  // namespace blendwire::expression

// SPDX-License-Identifier: Apache-2.0

#include "expression/condition.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "expression/slot_layout.h"
#include "expression/table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::expression {
namespace {

using ::testing::HasSubstr;
using Parameters = std::vector<std::pair<std::string, float>>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

SlotLayout Own(std::vector<std::string> names) {
  auto layout = SlotLayout::FromNames(std::move(names));
  EXPECT_TRUE(layout.ok()) << layout.status();
  return *std::move(layout);
}

// As the shipped model has it: one slot for each unit, viseme and emotion that is not the face at
// rest, in an order unlike the table's.
SlotLayout EverySlot() {
  std::vector<std::string> names;
  for (const Expression& expression : Table::Get().expressions()) {
    if (expression.recipe.empty()) continue;
    names.push_back(expression.kind == Kind::kCustom
                        ? expression.name
                        : absl::StrCat(KindName(expression.kind), "_", expression.name));
  }
  std::reverse(names.begin(), names.end());
  return Own(std::move(names));
}

// The values that are not zero, by index.
using Values = std::map<size_t, float>;

Values Encoded(const ConditionSpec& spec, const SlotLayout& layout = SlotLayout::Standard()) {
  std::vector<float> out(layout.size(), kNan);  // nothing may be left over
  const absl::Status status = EncodeCondition(spec, layout, absl::MakeSpan(out));
  EXPECT_TRUE(status.ok()) << status;
  Values values;
  for (size_t i = 0; i < out.size(); ++i) {
    if (out[i] != 0.0f) values[i] = out[i];
  }
  return values;
}

std::string Error(const ConditionSpec& spec, const SlotLayout& layout = SlotLayout::Standard()) {
  std::vector<float> out(layout.size());
  const absl::Status status = EncodeCondition(spec, layout, absl::MakeSpan(out));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  return std::string(status.message());
}

void ExpectNear(const Values& actual, const Values& expected) {
  EXPECT_EQ(actual.size(), expected.size());
  for (const auto& [index, value] : expected) {
    ASSERT_EQ(actual.count(index), 1u) << index;
    EXPECT_NEAR(actual.at(index), value, 1e-6f) << index;
  }
}

TEST(EncodeConditionTest, AVisemeInTheStandardLayout) {
  // mouthFunnel 4+31, mouthPucker 4+37, jawOpen 4+24.
  ExpectNear(Encoded({.kind = Kind::kViseme, .name = "oh", .intensity = 0.5f}),
             {{0, 1.0f}, {2, 0.5f}, {28, 0.21f}, {35, 0.225f}, {41, 0.15f}});
}

TEST(EncodeConditionTest, AnEmotionAndAUnitInTheStandardLayout) {
  ExpectNear(Encoded({.kind = Kind::kEmotion, .name = "Blink"}),
             {{1, 1.0f}, {2, 1.0f}, {12, 1.0f}, {13, 1.0f}});
  ExpectNear(Encoded({.kind = Kind::kCustom, .name = "tongueOut", .intensity = 0.25f}),
             {{2, 0.25f}, {3, 1.0f}, {55, 0.25f}});
  // A viseme by way of CUSTOM keeps CUSTOM's flag.
  const Values by_custom = Encoded({.kind = Kind::kCustom, .name = "vrc.v_oh"});
  EXPECT_EQ(by_custom.count(0), 0u);
  EXPECT_EQ(by_custom.at(3), 1.0f);
  EXPECT_NEAR(by_custom.at(28), 0.42f, 1e-6f);
}

TEST(EncodeConditionTest, TheFaceAtRestSetsNoUnits) {
  ExpectNear(Encoded({.kind = Kind::kViseme, .name = "sil"}), {{0, 1.0f}, {2, 1.0f}});
  ExpectNear(Encoded({.kind = Kind::kEmotion, .name = "Neutral"}), {{1, 1.0f}, {2, 1.0f}});
  ExpectNear(Encoded({.kind = Kind::kViseme, .name = "aa", .intensity = 0.0f}), {{0, 1.0f}});
  EXPECT_TRUE(Encoded({.kind = Kind::kViseme, .name = "sil"}, EverySlot()).empty());
  EXPECT_TRUE(Encoded({.kind = Kind::kEmotion, .name = "Neutral"}, Own({"x"})).empty());
}

TEST(EncodeConditionTest, EveryEntryEncodesInBothLayouts) {
  const SlotLayout own = EverySlot();
  for (const Expression& expression : Table::Get().expressions()) {
    const ConditionSpec spec = {
        .kind = expression.kind, .name = expression.name, .intensity = 0.75f};
    Values expected = {{2, 0.75f}};
    expected[expression.kind == Kind::kViseme ? 0 : expression.kind == Kind::kEmotion ? 1 : 3] = 1;
    for (const UnitWeight& part : expression.recipe) expected[4 + part.unit] = 0.75f * part.weight;
    ExpectNear(Encoded(spec), expected);

    Values own_expected;
    for (size_t slot = 0; slot < own.size(); ++slot) {
      const std::string& name = own.names()[slot];
      if (name == expression.name || name == "viseme_" + expression.name ||
          name == "emotion_" + expression.name) {
        own_expected[slot] = 0.75f;
      }
    }
    EXPECT_EQ(own_expected.size(), expression.recipe.empty() ? 0u : 1u) << expression.name;
    ExpectNear(Encoded(spec, own), own_expected);
  }
}

TEST(EncodeConditionTest, AVisemeWithoutASlotUsesTheUnitsThatThereAre) {
  const SlotLayout layout = Own({"viseme_aa", "mouthPucker", "jawOpen"});
  ExpectNear(Encoded({.kind = Kind::kViseme, .name = "aa", .intensity = 0.5f}, layout),
             {{0, 0.5f}});
  // mouthFunnel is left out.
  ExpectNear(Encoded({.kind = Kind::kViseme, .name = "oh", .intensity = 0.5f}, layout),
             {{1, 0.15f}, {2, 0.21f}});
  EXPECT_EQ(
      Error({.kind = Kind::kEmotion, .name = "blink"}, layout),
      "condition.name is \"Blink\", which this model cannot make: it has no slot for it or for "
      "a unit of its recipe");
  EXPECT_EQ(Error({.kind = Kind::kCustom, .name = "tongueOut"}, layout),
            "condition.name is \"tongueOut\", which this model cannot make: it has no slot for it");
}

TEST(EncodeConditionTest, AModelsOwnExpressionsAreReachedByTheirNames) {
  const SlotLayout layout = Own({"emotion_Fear", "earWiggle"});
  ExpectNear(Encoded({.kind = Kind::kEmotion, .name = "Fear", .intensity = 0.5f}, layout),
             {{0, 0.5f}});
  ExpectNear(Encoded({.kind = Kind::kCustom, .name = "earWiggle"}, layout), {{1, 1.0f}});
  ExpectNear(Encoded({.kind = Kind::kCustom,
                      .intensity = 0.5f,
                      .parameters = {{"earWiggle", 0.5f}, {"emotion_Fear", 1.0f}}},
                     layout),
             {{0, 0.5f}, {1, 0.25f}});
  EXPECT_THAT(Error({.kind = Kind::kViseme, .name = "Fear"}, layout), HasSubstr("is no viseme"));
}

TEST(EncodeConditionTest, ParametersAreWeightsTimesTheIntensity) {
  // Free text as the name; an alias; a viseme, whose recipe counts.
  ExpectNear(Encoded({.kind = Kind::kCustom,
                      .name = "my smirk",
                      .intensity = 0.5f,
                      .parameters = {{"mouthSmile_L", 0.8f}, {"BROWINNERUP", 0.2f}}}),
             {{2, 0.5f}, {3, 1.0f}, {6, 0.1f}, {47, 0.4f}});
  ExpectNear(Encoded({.kind = Kind::kCustom, .parameters = {{"oh", 0.5f}, {"jawOpen", 0.1f}}}),
             {{2, 1.0f}, {3, 1.0f}, {28, 0.31f}, {35, 0.225f}, {41, 0.15f}});
  // Their sum ends at 1, before the intensity.
  const Values capped = Encoded(
      {.kind = Kind::kCustom, .intensity = 0.5f, .parameters = {{"jawOpen", 0.8f}, {"aa", 1.0f}}});
  EXPECT_EQ(capped.at(28), 0.5f);
}

TEST(EncodeConditionTest, ParametersComeOnTopOfAViseme) {
  ExpectNear(Encoded({.kind = Kind::kViseme,
                      .name = "oh",
                      .intensity = 0.5f,
                      .parameters = {{"browInnerUp", 0.3f}, {"jawOpen", 0.2f}}}),
             {{0, 1.0f}, {2, 0.5f}, {6, 0.15f}, {28, 0.31f}, {35, 0.225f}, {41, 0.15f}});
  ExpectNear(Encoded({.kind = Kind::kViseme, .name = "oh", .parameters = {{"jawOpen", 0.2f}}},
                     Own({"jawOpen", "viseme_oh"})),
             {{0, 0.2f}, {1, 1.0f}});
}

TEST(EncodeConditionTest, FeaturesAreTakenAsTheyAre) {
  std::vector<float> features(64);
  for (size_t i = 0; i < 64; ++i) features[i] = -3.0f + 0.1f * static_cast<float>(i);
  std::vector<float> out(64);
  const ConditionSpec spec = {
      .kind = Kind::kCustom, .name = "raw", .intensity = 0.25f, .features = features};
  ASSERT_TRUE(EncodeCondition(spec, SlotLayout::Standard(), absl::MakeSpan(out)).ok());
  EXPECT_EQ(out, features);

  const std::vector<float> two = {10.0f, -10.0f};
  ExpectNear(Encoded({.kind = Kind::kCustom, .features = two}, Own({"jawOpen", "x"})),
             {{0, 10.0f}, {1, -10.0f}});
}

TEST(EncodeConditionTest, StandardFeaturesReachAModelWithSlotsOfItsOwn) {
  std::vector<float> features(64, 0.0f);
  features[3] = 1.0f;
  features[2] = 0.5f;
  features[28] = 0.4f;   // jawOpen
  features[55] = 0.3f;   // tongueOut
  features[4] = -0.25f;  // browDownLeft, which the model lacks
  const SlotLayout layout = Own({"viseme_aa", "tongueOut", "jawOpen"});
  ExpectNear(Encoded({.kind = Kind::kCustom, .features = features}, layout),
             {{1, 0.3f}, {2, 0.4f}});
  EXPECT_THAT(Error({.kind = Kind::kCustom, .features = features}, Own({"viseme_aa"})),
              HasSubstr("sets units only that this model has no slots for"));
  // With as many slots as the standard layout has values, they are the model's own.
  std::vector<std::string> names;
  for (int i = 0; i < 64; ++i) names.push_back(absl::StrCat("slot", i));
  EXPECT_EQ(Encoded({.kind = Kind::kCustom, .features = features}, Own(names)).at(2), 0.5f);
}

TEST(EncodeConditionTest, WrongNumbersAreRefused) {
  for (const float bad : {-0.01f, 1.01f, kNan, kInf, -kInf}) {
    EXPECT_THAT(Error({.kind = Kind::kViseme, .name = "aa", .intensity = bad}),
                HasSubstr(absl::StrCat("condition.intensity is ", bad, ", but must be 0 to 1")));
    const std::string message =
        Error({.kind = Kind::kCustom, .parameters = {{"jawOpen", 1.0f}, {"aa", bad}}});
    EXPECT_EQ(message,
              absl::StrCat("condition.parameters[\"aa\"] is ", bad, ", but must be 0 to 1"));
  }
  for (const float bad : {10.1f, -10.1f, kNan, kInf}) {
    std::vector<float> features(64, 0.0f);
    features[17] = bad;
    EXPECT_EQ(Error({.kind = Kind::kCustom, .features = features}),
              absl::StrCat("condition.features[17] is ", bad, ", but must be -10 to 10"));
  }
}

TEST(EncodeConditionTest, WrongCountsAreRefused) {
  const std::vector<float> seven(7, 0.0f);
  EXPECT_EQ(Error({.kind = Kind::kCustom, .features = seven}),
            "condition.features has 7 values, but must have 64 (the standard layout)");
  EXPECT_EQ(Error({.kind = Kind::kCustom, .features = seven}, EverySlot()),
            "condition.features has 7 values, but must have 72 (one for each slot of the model) or "
            "64 (the standard layout)");
  EXPECT_EQ(Error({.kind = Kind::kCustom, .parameters = Parameters(257, {"jawOpen", 0.0f})}),
            "condition.parameters has 257 entries, but may have 256");
  Encoded({.kind = Kind::kCustom, .parameters = Parameters(256, {"jawOpen", 1.0f})});
}

TEST(EncodeConditionTest, WrongNamesAreRefused) {
  EXPECT_THAT(Error({.kind = Kind::kViseme, .name = "aaa"}), HasSubstr("did you mean \"aa\"?"));
  EXPECT_THAT(Error({.kind = Kind::kViseme}), HasSubstr("condition.name is empty"));
  EXPECT_THAT(Error({.kind = Kind::kEmotion, .name = "aa"}), HasSubstr("a viseme, not an emotion"));
  EXPECT_THAT(Error({.kind = Kind::kCustom, .name = "my smirk"}),
              HasSubstr("condition.name is \"my smirk\", which is no ARKit unit"));
  EXPECT_EQ(Error({.kind = Kind::kCustom, .parameters = {{"jawOpn", 0.5f}}}),
            "condition.parameters names \"jawOpn\", which is no ARKit unit, viseme or emotion; did "
            "you mean \"jawOpen\"?");
  EXPECT_EQ(Error({.kind = Kind::kCustom, .parameters = {{"", 0.5f}}}),
            "condition.parameters names \"\", which is no ARKit unit, viseme or emotion");
  EXPECT_EQ(
      Error({.kind = Kind::kCustom, .parameters = {{"tongueOut", 0.5f}}}, Own({"jawOpen"})),
      "condition.parameters names \"tongueOut\", which this model cannot make: it has no slot "
      "for it");
  EXPECT_THAT(Error({.kind = Kind::kCustom, .parameters = {{"intensity", 0.5f}}}),
              HasSubstr("names \"intensity\""));
}

TEST(EncodeConditionTest, WrongCombinationsAreRefused) {
  const std::vector<float> features(64, 0.0f);
  EXPECT_EQ(Error({.kind = Kind::kViseme, .name = "aa", .features = features}),
            "condition.features has 64 values, but must be empty unless condition.type is CUSTOM");
  EXPECT_THAT(Error({.kind = Kind::kEmotion, .name = "Joy", .features = features}),
              HasSubstr("condition.features"));
  EXPECT_THAT(
      Error({.kind = Kind::kCustom, .features = features, .parameters = {{"jawOpen", 1.0f}}}),
      HasSubstr("condition.features and condition.parameters are both set"));
  EXPECT_EQ(
      Error({.kind = Kind::kCustom}),
      "condition.type is CUSTOM, but name, parameters and features are all empty; one is needed");
}

TEST(EncodeConditionTest, AnOutputOfTheWrongSizeIsTheProgramsMistake) {
  std::vector<float> out(63);
  EXPECT_EQ(EncodeCondition({.kind = Kind::kViseme, .name = "aa"}, SlotLayout::Standard(),
                            absl::MakeSpan(out))
                .code(),
            absl::StatusCode::kInternal);
}

}  // namespace
}  // namespace blendwire::expression

// SPDX-License-Identifier: Apache-2.0

#include "expression/table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::expression {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

const Table& table() { return Table::Get(); }

std::string NameOf(const Expression* expression) { return expression ? expression->name : "none"; }

std::string Error(Kind kind, absl::string_view name) {
  const auto resolved = table().Resolve(kind, name);
  EXPECT_EQ(resolved.status().code(), absl::StatusCode::kInvalidArgument) << name;
  return std::string(resolved.status().message());
}

// The weight of a unit in an expression's recipe.
float Weight(const Expression& expression, absl::string_view unit) {
  for (const UnitWeight& part : expression.recipe) {
    if (table().units()[part.unit] == unit) return part.weight;
  }
  return 0.0f;
}

TEST(TableTest, HasAllVisemesAndEmotionsInTheirUsualOrder) {
  EXPECT_EQ(table().NameList(Kind::kViseme),
            "sil, PP, FF, TH, DD, kk, CH, SS, nn, RR, aa, E, ih, oh, ou");
  EXPECT_EQ(table().NameList(Kind::kEmotion), "Joy, Angry, Sorrow, Fun, Surprised, Blink, Neutral");
  EXPECT_THAT(table().expressions(), SizeIs(15 + 7 + 52));
}

TEST(TableTest, HasTheArkitUnitsInTheirUsualOrder) {
  const std::vector<std::string> expected = absl::StrSplit(
      "browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff "
      "cheekSquintLeft cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft "
      "eyeLookDownRight eyeLookInLeft eyeLookInRight eyeLookOutLeft eyeLookOutRight eyeLookUpLeft "
      "eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight jawForward jawLeft "
      "jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft "
      "mouthFrownRight mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight "
      "mouthPressLeft mouthPressRight mouthPucker mouthRight mouthRollLower mouthRollUpper "
      "mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft "
      "mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight "
      "tongueOut",
      ' ');
  EXPECT_THAT(table().units(), ::testing::ElementsAreArray(expected));
  for (size_t i = 0; i < expected.size(); ++i) {
    const Expression* unit = table().Find(Kind::kCustom, expected[i]);
    ASSERT_NE(unit, nullptr) << expected[i];
    ASSERT_THAT(unit->recipe, SizeIs(1));
    EXPECT_EQ(unit->recipe[0].unit, i);
    EXPECT_EQ(unit->recipe[0].weight, 1.0f);
    EXPECT_EQ(unit->names.at("arkit"), expected[i]);
  }
}

TEST(TableTest, EveryEntryIsDescribedAndFoundByEachOfItsSpellings) {
  for (const Expression& expression : table().expressions()) {
    EXPECT_FALSE(expression.description.empty()) << expression.name;
    std::vector<std::string> spellings = expression.aliases;
    spellings.push_back(expression.name);
    for (const auto& [convention, name] : expression.names) spellings.push_back(name);
    for (const std::string& spelling : spellings) {
      EXPECT_EQ(table().Find(expression.kind, spelling), &expression) << spelling;
      EXPECT_EQ(table().Find(expression.kind, absl::AsciiStrToUpper(spelling)), &expression);
      EXPECT_EQ(*table().Resolve(expression.kind, spelling), &expression) << spelling;
      EXPECT_NE(table().FindAny(spelling), nullptr);
    }
  }
}

TEST(TableTest, ConventionsNameVisemes) {
  const std::pair<const char*, const char*> vrchat[] = {
      {"vrc.v_sil", "sil"}, {"vrc.v_pp", "PP"}, {"vrc.v_ff", "FF"}, {"vrc.v_th", "TH"},
      {"vrc.v_dd", "DD"},   {"vrc.v_kk", "kk"}, {"vrc.v_ch", "CH"}, {"vrc.v_ss", "SS"},
      {"vrc.v_nn", "nn"},   {"vrc.v_rr", "RR"}, {"vrc.v_aa", "aa"}, {"vrc.v_e", "E"},
      {"vrc.v_ih", "ih"},   {"vrc.v_oh", "oh"}, {"vrc.v_ou", "ou"}};
  for (const auto& [name, viseme] : vrchat) {
    const Expression* found = table().Find(Kind::kViseme, name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->name, viseme);
    EXPECT_EQ(found->names.at("vrchat"), name);
    EXPECT_EQ(found->names.at("oculus"), absl::StrCat("viseme_", viseme));
  }
  const std::vector<std::vector<const char*>> vrm = {
      {"A", "aa", "aa"}, {"I", "ih", "ih"}, {"U", "ou", "ou"}, {"E", "ee", "E"}, {"O", "oh", "oh"}};
  for (const auto& row : vrm) {
    EXPECT_EQ(NameOf(table().Find(Kind::kViseme, row[0])), row[2]);
    EXPECT_EQ(NameOf(table().Find(Kind::kViseme, row[1])), row[2]);
    EXPECT_EQ(table().Find(Kind::kViseme, row[2])->names.at("vrm0"), row[0]);
    EXPECT_EQ(table().Find(Kind::kViseme, row[2])->names.at("vrm1"), row[1]);
  }
  EXPECT_EQ(table().Find(Kind::kViseme, "PP")->names.count("vrm1"), 0u);
  EXPECT_EQ(NameOf(table().Find(Kind::kViseme, "う")), "ou");
}

TEST(TableTest, ConventionsAndEnglishNameEmotions) {
  const std::vector<std::pair<std::string, std::vector<std::string>>> rows = {
      {"Joy", {"joy", "happy", "happiness", "smile"}},
      {"Angry", {"angry", "anger"}},
      {"Sorrow", {"sorrow", "sad", "sadness"}},
      {"Fun", {"fun", "relaxed"}},
      {"Surprised", {"surprised", "surprise"}},
      {"Blink", {"blink", "まばたき"}},
      {"Neutral", {"neutral"}}};
  for (const auto& [emotion, spellings] : rows) {
    for (const std::string& spelling : spellings) {
      EXPECT_EQ(NameOf(table().Find(Kind::kEmotion, spelling)), emotion) << spelling;
    }
  }
  for (const char* left : {"blinkLeft", "Blink_L", "blink_l", "eyeBlink_L", "EyeBlinkLeft"}) {
    EXPECT_EQ(NameOf(table().Find(Kind::kCustom, left)), "eyeBlinkLeft");
  }
  EXPECT_EQ(NameOf(table().Find(Kind::kCustom, "blinkRight")), "eyeBlinkRight");
  // A direction is no side.
  EXPECT_EQ(table().Find(Kind::kCustom, "jaw_L"), nullptr);
}

TEST(TableTest, FindKeepsToItsKindAndFindAnyDoesNot) {
  EXPECT_EQ(table().Find(Kind::kViseme, "Joy"), nullptr);
  EXPECT_EQ(table().Find(Kind::kEmotion, "jawOpen"), nullptr);
  EXPECT_EQ(table().Find(Kind::kCustom, "aa"), nullptr);
  EXPECT_EQ(table().Find(Kind::kViseme, ""), nullptr);
  EXPECT_EQ(table().Find(Kind::kViseme, " aa"), nullptr);
  for (const char* name : {"aa", "Joy", "jawOpen"}) {
    EXPECT_EQ(NameOf(table().FindAny(name)), name);
    EXPECT_EQ(NameOf(*table().Resolve(Kind::kCustom, name)), name);
  }
}

TEST(TableTest, RecipesAreDistinctAndOnlyTheFacesAtRestAreEmpty) {
  std::set<std::vector<std::pair<size_t, float>>> recipes;
  for (const Expression& expression : table().expressions()) {
    if (expression.kind == Kind::kCustom) continue;
    const bool at_rest = expression.name == "sil" || expression.name == "Neutral";
    EXPECT_EQ(expression.recipe.empty(), at_rest) << expression.name;
    std::vector<std::pair<size_t, float>> recipe;
    for (const UnitWeight& part : expression.recipe) {
      EXPECT_GT(part.weight, 0.0f);
      EXPECT_LE(part.weight, 1.0f);
      recipe.emplace_back(part.unit, part.weight);
    }
    std::sort(recipe.begin(), recipe.end());
    EXPECT_EQ(std::adjacent_find(recipe.begin(), recipe.end(),
                                 [](auto& a, auto& b) { return a.first == b.first; }),
              recipe.end())
        << expression.name;
    if (!at_rest) {
      EXPECT_TRUE(recipes.insert(recipe).second) << expression.name;
    }
  }
  EXPECT_THAT(recipes, SizeIs(14 + 6));
}

TEST(TableTest, EveryPairOfVisemesDiffersVisibly) {
  const auto visemes = table().expressions().first(15);
  for (const Expression& a : visemes) {
    for (const Expression& b : visemes) {
      if (&a == &b) continue;
      float difference = 0.0f;
      for (const std::string& unit : table().units()) {
        difference += std::abs(Weight(a, unit) - Weight(b, unit));
      }
      EXPECT_GT(difference, 0.15f) << a.name << " " << b.name;
    }
  }
}

TEST(TableTest, RecipesMakePhoneticSense) {
  const auto viseme = [](const char* name) -> const Expression& {
    return *table().Find(Kind::kViseme, name);
  };
  for (const Expression& other : table().expressions().first(15)) {
    if (other.name != "aa") {
      EXPECT_GT(Weight(viseme("aa"), "jawOpen"), Weight(other, "jawOpen"));
    }
    // Both sides move alike.
    for (const char* unit : {"mouthSmile", "mouthStretch", "mouthUpperUp", "mouthLowerDown"}) {
      EXPECT_EQ(Weight(other, absl::StrCat(unit, "Left")),
                Weight(other, absl::StrCat(unit, "Right")));
    }
  }
  EXPECT_GT(Weight(viseme("PP"), "mouthPressLeft"), 0.3f);
  // The lips close at least as far as the jaw opens, so they stay sealed.
  EXPECT_GE(Weight(viseme("PP"), "mouthClose"), Weight(viseme("PP"), "jawOpen"));
  EXPECT_GT(Weight(viseme("ou"), "mouthPucker"), Weight(viseme("oh"), "mouthPucker"));
  EXPECT_GT(Weight(viseme("ih"), "mouthSmileLeft"), Weight(viseme("E"), "mouthSmileLeft"));
}

TEST(TableTest, AnErrorSuggestsTheNearestName) {
  EXPECT_EQ(Error(Kind::kViseme, "aaa"),
            "condition.name is \"aaa\", which is no viseme; did you mean \"aa\"? The visemes are: "
            "sil, PP, FF, TH, DD, kk, CH, SS, nn, RR, aa, E, ih, oh, ou");
  EXPECT_EQ(Error(Kind::kEmotion, "Hapy"),
            "condition.name is \"Hapy\", which is no emotion; did you mean \"happy\"? The emotions "
            "are: Joy, Angry, Sorrow, Fun, Surprised, Blink, Neutral");
  EXPECT_EQ(Error(Kind::kCustom, "jawOpn"),
            "condition.name is \"jawOpn\", which is no ARKit unit, viseme or emotion; did you mean "
            "\"jawOpen\"?");
  EXPECT_THAT(Error(Kind::kViseme, "vrc.v_aaa"), HasSubstr("did you mean \"vrc.v_aa\"?"));
  EXPECT_EQ(Error(Kind::kCustom, "banana"),
            "condition.name is \"banana\", which is no ARKit unit, viseme or emotion");
  EXPECT_THAT(Error(Kind::kViseme, "banana"),
              HasSubstr("\"banana\", which is no viseme; the visemes are: sil, PP"));
}

TEST(TableTest, AnErrorSaysWhenTheNameIsOfAnotherKind) {
  EXPECT_THAT(Error(Kind::kViseme, "Joy"),
              HasSubstr("\"Joy\", which is an emotion, not a viseme; the visemes are: sil"));
  EXPECT_THAT(Error(Kind::kEmotion, "vrc.v_aa"), HasSubstr("which is a viseme, not an emotion;"));
  EXPECT_THAT(Error(Kind::kEmotion, "jawOpen"),
              HasSubstr("which is an ARKit unit, not an emotion;"));
}

TEST(TableTest, AnErrorCopesWithAnyName) {
  EXPECT_THAT(Error(Kind::kViseme, ""), HasSubstr("condition.name is empty; the visemes are: sil"));
  EXPECT_EQ(Error(Kind::kCustom, ""), "condition.name is empty");
  EXPECT_THAT(Error(Kind::kViseme, "a\na"), HasSubstr("\"a\\na\""));
  EXPECT_LT(Error(Kind::kCustom, std::string(1000000, 'a')).size(), 200u);
}

constexpr char kTiny[] = R"({
  "units": [{"name": "jawOpen", "description": "d"}],
  "visemes": [
    {"name": "Ox", "description": "d", "recipe": {"jawOpen": 0.5}},
    {"name": "oX", "description": "d", "aliases": ["other"], "recipe": {}}],
  "emotions": []})";

TEST(TableParseTest, CaseCountsOnlyWhereItMust) {
  const auto parsed = Table::Parse(kTiny);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(NameOf(parsed->Find(Kind::kViseme, "Ox")), "Ox");
  EXPECT_EQ(NameOf(parsed->Find(Kind::kViseme, "oX")), "oX");
  EXPECT_EQ(parsed->Find(Kind::kViseme, "ox"), nullptr);
  EXPECT_EQ(NameOf(parsed->Find(Kind::kViseme, "OTHER")), "oX");
}

TEST(TableParseTest, SaysWhatIsWrongWithTheData) {
  const std::vector<std::vector<std::string>> rows = {
      {"\"jawOpen\": 0.5", "\"jawShut\": 0.5", "recipe of Ox: there is no unit jawShut"},
      {"\"jawOpen\": 0.5", "\"jawOpen\": 1.5", "the weight of jawOpen is 1.5"},
      {"\"other\"", "\"Ox\"", "\"Ox\" means both Ox and oX"},
      {"\"recipe\": {}", "\"recipe\": {\"jawOpen\": \"much\"}", "type"},
      {"\"emotions\": []", "\"e\": []", "emotions"},
      {"\"emotions\": []}", "", "parse error"},
  };
  for (const auto& row : rows) {
    std::string json = kTiny;
    json.replace(json.find(row[0]), row[0].size(), row[1]);
    const auto parsed = Table::Parse(json);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << row[1];
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(row[2]));
  }
}

}  // namespace
}  // namespace blendwire::expression

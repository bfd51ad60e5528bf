// SPDX-License-Identifier: Apache-2.0

#include "model/metadata.h"

#include <map>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::model {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<Metadata> Read(const std::map<std::string, std::string>& entries) {
  return ReadMetadata([&entries](const char* key) -> std::optional<std::string> {
    const auto found = entries.find(key);
    if (found == entries.end()) return std::nullopt;
    return found->second;
  });
}

std::string WhyNot(const std::map<std::string, std::string>& entries) {
  const absl::StatusOr<Metadata> metadata = Read(entries);
  EXPECT_EQ(metadata.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(metadata.status().message());
}

TEST(MetadataTest, EverythingIsOptional) {
  const absl::StatusOr<Metadata> metadata = Read({});
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->version, "");
  EXPECT_EQ(metadata->title, "");
  EXPECT_THAT(metadata->condition_slots, IsEmpty());
  EXPECT_EQ(metadata->max_batch, 1);
}

TEST(MetadataTest, ReadsEveryKey) {
  const absl::StatusOr<Metadata> metadata =
      Read({{"blendwire.contract", "1"},
            {"blendwire.version", "2026.11-β"},
            {"blendwire.title", "Grüße, 顔"},
            {"blendwire.condition_slots", R"(["jawOpen", "viseme_aa"])"},
            {"blendwire.max_batch", "16"}});
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->version, "2026.11-β");
  EXPECT_EQ(metadata->title, "Grüße, 顔");
  EXPECT_THAT(metadata->condition_slots, ElementsAre("jawOpen", "viseme_aa"));
  EXPECT_EQ(metadata->max_batch, 16);
}

TEST(MetadataTest, WhatAModelGivesBesideOffsets) {
  const absl::StatusOr<Metadata> metadata = Read(
      {{"blendwire.features", "209"},
       {"blendwire.margins", R"(["upper_lid","lower_lid","upper_lip","lower_lip"])"},
       {"blendwire.contact", R"({"viseme_PP":{"lips":1},"x":{"left_lid":0.5,"right_lid":0}})"}});
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  EXPECT_EQ(metadata->feature_size, 209);
  EXPECT_TRUE(metadata->has_margins);
  ASSERT_EQ(metadata->contact.size(), 2u);
  EXPECT_EQ(metadata->contact.at("viseme_PP").lips, 1.0f);
  EXPECT_EQ(metadata->contact.at("viseme_PP").left_lid, 0.0f);
  EXPECT_EQ(metadata->contact.at("x").left_lid, 0.5f);
  EXPECT_EQ(Read({})->feature_size, 0);
  EXPECT_FALSE(Read({})->has_margins);
}

TEST(MetadataTest, WrongContactIsNamed) {
  EXPECT_THAT(WhyNot({{"blendwire.features", "0"}}), HasSubstr("1 to 4096"));
  EXPECT_THAT(WhyNot({{"blendwire.features", "many"}}), HasSubstr("many"));
  EXPECT_THAT(WhyNot({{"blendwire.margins", R"(["lower_lid"])"}}), HasSubstr("upper_lid"));
  EXPECT_THAT(WhyNot({{"blendwire.margins", "{"}}), HasSubstr("blendwire.margins"));
  for (const char* const wrong :
       {"[]", "{", R"({"PP":1})", R"({"PP":{"lips":1.1}})", R"({"PP":{"lips":-1}})",
        R"({"PP":{"lips":"1"}})", R"({"PP":{"nose":1}})"}) {
    EXPECT_THAT(WhyNot({{"blendwire.contact", wrong}}), HasSubstr("blendwire.contact")) << wrong;
  }
}

TEST(MetadataTest, MirroringNeedsSlotsAndBatches) {
  std::map<std::string, std::string> entries = {
      {"blendwire.condition_slots", R"(["jawLeft", "jawRight"])"}, {"blendwire.max_batch", "0"}};
  EXPECT_FALSE(Read(entries)->average_with_mirror);
  entries["blendwire.mirror"] = "average";
  EXPECT_TRUE(Read(entries)->average_with_mirror);
  for (const char* const lacking : {"blendwire.condition_slots", "blendwire.max_batch"}) {
    auto rest = entries;
    rest.erase(lacking);
    EXPECT_THAT(WhyNot(rest), AllOf(HasSubstr("blendwire.mirror"), HasSubstr(lacking)));
  }
  for (const char* const wrong : {"", "Average", "none", "2"}) {
    entries["blendwire.mirror"] = wrong;
    EXPECT_THAT(WhyNot(entries), AllOf(HasSubstr("blendwire.mirror"), HasSubstr("average")));
  }
}

TEST(MetadataTest, SolidsAndStretch) {
  EXPECT_FALSE(Read({})->rigid_solids);
  EXPECT_EQ(Read({})->max_stretch, 0.0f);
  EXPECT_TRUE(Read({{"blendwire.solids", "rigid"}})->rigid_solids);
  EXPECT_EQ(Read({{"blendwire.max_stretch", "2.5"}})->max_stretch, 2.5f);
  for (const char* const wrong : {"", "Rigid", "1"}) {
    EXPECT_THAT(WhyNot({{"blendwire.solids", wrong}}),
                AllOf(HasSubstr("blendwire.solids"), HasSubstr("\"rigid\"")));
  }
  for (const char* const wrong : {"", "many", "1", "0", "-3", "nan", "inf", "1e9"}) {
    EXPECT_THAT(WhyNot({{"blendwire.max_stretch", wrong}}),
                AllOf(HasSubstr("blendwire.max_stretch"), HasSubstr("above 1")))
        << wrong;
  }
}

TEST(MetadataTest, ZeroIsAnyBatch) {
  EXPECT_EQ(Read({{"blendwire.max_batch", "0"}})->max_batch, 0);
}

TEST(MetadataTest, ABatchThatIsNoNumberIsRefused) {
  for (const char* text : {"", "many", "-1", "1.5", "99999999999"}) {
    EXPECT_THAT(WhyNot({{"blendwire.max_batch", text}}),
                AllOf(HasSubstr("blendwire.max_batch"), HasSubstr(text), HasSubstr("0")));
  }
}

TEST(MetadataTest, AnotherContractIsRefused) {
  EXPECT_THAT(WhyNot({{"blendwire.contract", "2"}}),
              AllOf(HasSubstr("blendwire.contract"), HasSubstr("\"2\""), HasSubstr("contract 1")));
}

TEST(MetadataTest, SlotsMustBeAListOfNames) {
  for (const char* text : {"", "[]", "{}", "[1]", "[\"a\"", "\"a\"", "[\"a\", null]"}) {
    EXPECT_THAT(WhyNot({{"blendwire.condition_slots", text}}),
                HasSubstr("blendwire.condition_slots"))
        << text;
  }
}

TEST(MetadataTest, SlotsAreNotGivenTwice) {
  EXPECT_THAT(WhyNot({{"blendwire.condition_slots", R"(["a", "b", "a"])"}}), HasSubstr("\"a\""));
}

TEST(MetadataTest, SlotsAreLimitedInNumberAndLength) {
  std::string many = "[\"0\"";
  for (int i = 1; i <= 4096; ++i) many += ",\"" + std::to_string(i) + "\"";
  EXPECT_THAT(WhyNot({{"blendwire.condition_slots", many + "]"}}), HasSubstr("4096"));
  const std::string longest(256, 'x');
  EXPECT_TRUE(Read({{"blendwire.condition_slots", "[\"" + longest + "\"]"}}).ok());
  EXPECT_THAT(WhyNot({{"blendwire.condition_slots", "[\"" + longest + "x\"]"}}), HasSubstr("256"));
}

TEST(MetadataTest, TextsAreLimited) {
  for (const char* key : {"blendwire.version", "blendwire.title"}) {
    EXPECT_TRUE(Read({{key, std::string(256, 'x')}}).ok());
    EXPECT_THAT(WhyNot({{key, std::string(257, 'x')}}), AllOf(HasSubstr(key), HasSubstr("256")));
  }
}

// These texts go into protobuf strings, which must be UTF-8, and into logs.
TEST(MetadataTest, TextsAreUtf8WithoutControlCharacters) {
  for (const char* text : {"\xff", "\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80",
                           "a\xe2\x82", "line\nline", "\x1b[31m", "\x7f"}) {
    for (const char* key : {"blendwire.version", "blendwire.title"}) {
      const std::string why = WhyNot({{key, text}});
      EXPECT_THAT(why, AllOf(HasSubstr(key), HasSubstr("UTF-8")));
      for (const char c : why) EXPECT_FALSE(c == '\n' || c == '\x1b' || c == '\x7f') << why;
    }
  }
}

TEST(MetadataTest, AControlCharacterInASlotIsRefused) {
  EXPECT_THAT(WhyNot({{"blendwire.condition_slots", R"(["a\nb"])"}}), HasSubstr("UTF-8"));
}

}  // namespace
}  // namespace blendwire::model

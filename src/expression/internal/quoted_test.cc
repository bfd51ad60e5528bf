// SPDX-License-Identifier: Apache-2.0

#include "expression/internal/quoted.h"

#include <string>

#include "gtest/gtest.h"

namespace blendwire::expression::internal {
namespace {

TEST(QuotedTest, EscapesWhatWouldSpoilALog) {
  EXPECT_EQ(Quoted("aa"), "\"aa\"");
  EXPECT_EQ(Quoted("あ"), "\"あ\"");
  EXPECT_EQ(Quoted("a\n\"b\x01"), "\"a\\n\\\"b\\x01\"");
}

TEST(QuotedTest, CutsBetweenCharacters) {
  EXPECT_EQ(Quoted(std::string(64, 'a')), "\"" + std::string(64, 'a') + "\"");
  EXPECT_EQ(Quoted(std::string(65, 'a')), "\"" + std::string(64, 'a') + "…\"");
  // あ has three bytes; the second would be cut after one.
  EXPECT_EQ(Quoted(std::string(60, 'a') + "ああ"), "\"" + std::string(60, 'a') + "あ…\"");
}

}  // namespace
}  // namespace blendwire::expression::internal

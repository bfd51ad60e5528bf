// SPDX-License-Identifier: Apache-2.0

#include "system/line_buffer.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::system {
namespace {

using ::testing::ElementsAre;

absl::Status NothingMore() { return absl::DeadlineExceededError("no more"); }

// Every line of what comes in these pieces, until the end.
std::vector<std::string> Lines(const std::vector<std::string>& pieces,
                               size_t max_line_bytes = 100) {
  LineBuffer buffer(max_line_bytes);
  size_t next = 0;
  const auto read_more = [&] {
    if (next < pieces.size()) {
      buffer.Append(pieces[next++]);
    } else {
      buffer.End();
    }
    return absl::OkStatus();
  };
  std::vector<std::string> lines;
  while (true) {
    absl::StatusOr<std::string> line = buffer.NextLine(read_more);
    if (!line.ok()) {
      EXPECT_EQ(line.status().code(), absl::StatusCode::kOutOfRange);
      EXPECT_EQ(buffer.NextLine(read_more).status().code(), absl::StatusCode::kOutOfRange);
      return lines;
    }
    lines.push_back(*std::move(line));
  }
}

TEST(LineBufferTest, LinesWhateverThePieces) {
  EXPECT_THAT(Lines({"one\ntwo\r\n\nlast"}), ElementsAre("one", "two", "", "last"));
  EXPECT_THAT(Lines({"o", "ne", "\n", "two\r", "\n\nla", "st"}),
              ElementsAre("one", "two", "", "last"));
  EXPECT_THAT(Lines({"one\n"}), ElementsAre("one"));
  EXPECT_THAT(Lines({}), ElementsAre());
}

TEST(LineBufferTest, ALongLineComesInPieces) {
  EXPECT_THAT(Lines({"abcdefgh\nij\n"}, 3), ElementsAre("abc", "def", "gh", "ij"));
  EXPECT_THAT(Lines({"abc\ndef"}, 3), ElementsAre("abc", "def"));
}

TEST(LineBufferTest, AnErrorLosesNothing) {
  LineBuffer buffer(100);
  buffer.Append("half ");
  EXPECT_EQ(buffer.NextLine(NothingMore).status().code(), absl::StatusCode::kDeadlineExceeded);
  buffer.Append("a line\nanother\n");
  EXPECT_EQ(buffer.NextLine(NothingMore).value(), "half a line");
  EXPECT_EQ(buffer.NextLine(NothingMore).value(), "another");
}

}  // namespace
}  // namespace blendwire::system

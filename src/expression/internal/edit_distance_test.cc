// SPDX-License-Identifier: Apache-2.0

#include "expression/internal/edit_distance.h"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>

#include "gtest/gtest.h"

namespace blendwire::expression::internal {
namespace {

// The definition itself, by trying every possibility.
size_t SlowDistance(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return a.size() + b.size();
  const std::string a1 = a.substr(1), b1 = b.substr(1);
  size_t best = std::min({SlowDistance(a1, b) + 1, SlowDistance(a, b1) + 1,
                          SlowDistance(a1, b1) + (a[0] == b[0] ? 0u : 1u)});
  if (a.size() > 1 && b.size() > 1 && a[0] == b[1] && a[1] == b[0]) {
    best = std::min(best, SlowDistance(a.substr(2), b.substr(2)) + 1);
  }
  return best;
}

TEST(EditDistanceTest, EachKindOfSlipCountsOne) {
  EXPECT_EQ(EditDistance("jawOpen", "jawOpen"), 0u);
  EXPECT_EQ(EditDistance("jawOpn", "jawOpen"), 1u);
  EXPECT_EQ(EditDistance("jawOpeen", "jawOpen"), 1u);
  EXPECT_EQ(EditDistance("jawOpin", "jawOpen"), 1u);
  EXPECT_EQ(EditDistance("jwaOpen", "jawOpen"), 1u);
  EXPECT_EQ(EditDistance("", "abc"), 3u);
  EXPECT_EQ(EditDistance("abc", ""), 3u);
}

TEST(EditDistanceTest, RandomWordsAgreeWithTryingEverything) {
  std::mt19937 random(1);
  std::uniform_int_distribution<int> letter('a', 'c');
  std::uniform_int_distribution<int> length(0, 6);
  for (int i = 0; i < 300; ++i) {
    std::string words[2];
    for (std::string& word : words) {
      for (int n = length(random); n > 0; --n) word += static_cast<char>(letter(random));
    }
    EXPECT_EQ(EditDistance(words[0], words[1]), SlowDistance(words[0], words[1]))
        << words[0] << " " << words[1];
  }
}

}  // namespace
}  // namespace blendwire::expression::internal

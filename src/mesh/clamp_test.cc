// SPDX-License-Identifier: Apache-2.0

#include "mesh/clamp.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

double Length(const std::vector<float>& offsets, size_t vertex) {
  return std::hypot(double{offsets[3 * vertex]}, double{offsets[3 * vertex + 1]},
                    double{offsets[3 * vertex + 2]});
}

TEST(ClampOffsetsTest, ShortensByLengthAndKeepsTheDirection) {
  std::vector<float> offsets = {0.3f, 0.4f, 0.0f, 0.01f, 0.0f, 0.0f, 0.0f, 0.0f, -0.2f, 0, 0, 0};
  EXPECT_EQ(ClampOffsets(0.1f, absl::MakeSpan(offsets)), 2u);
  const std::vector<float> expected = {0.06f, 0.08f, 0.0f,  0.01f, 0.0f, 0.0f,
                                       0.0f,  0.0f,  -0.1f, 0.0f,  0.0f, 0.0f};
  for (size_t i = 0; i < offsets.size(); ++i) EXPECT_NEAR(offsets[i], expected[i], 1e-7f) << i;
  EXPECT_EQ(offsets[3], 0.01f);  // untouched to the bit
}

TEST(ClampOffsetsTest, AnOffsetOfExactlyTheLimitStays) {
  std::vector<float> offsets = {0.0f, 0.08f, 0.0f, 0.0f, std::nextafter(0.08f, 1.0f), 0.0f};
  EXPECT_EQ(ClampOffsets(0.08f, absl::MakeSpan(offsets)), 1u);
  EXPECT_EQ(offsets[1], 0.08f);
  EXPECT_LE(offsets[4], 0.08f);
}

TEST(ClampOffsetsTest, RandomOffsetsAgreeWithThePlainFormulaAndASecondCallChangesNothing) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    const std::vector<float> before = testing::RandomOffsets(seed, 2000);
    const float limit = 0.002f + 0.001f * static_cast<float>(seed);
    std::vector<float> after = before;
    const size_t shortened = ClampOffsets(limit, absl::MakeSpan(after));
    size_t expected_shortened = 0;
    for (size_t v = 0; v < 2000; ++v) {
      const double length = Length(before, v);
      const bool over = length > double{limit};
      if (over) ++expected_shortened;
      EXPECT_LE(Length(after, v), double{limit});
      for (size_t i = 3 * v; i < 3 * v + 3; ++i) {
        const double expected =
            over ? double{before[i]} / length * double{limit} : double{before[i]};
        EXPECT_NEAR(double{after[i]}, expected, over ? 1e-8 : 0.0);
      }
    }
    EXPECT_EQ(shortened, expected_shortened);
    EXPECT_GT(shortened, 0u);
    const std::vector<float> once = after;
    EXPECT_EQ(ClampOffsets(limit, absl::MakeSpan(after)), 0u);
    EXPECT_EQ(after, once);
  }
}

// Floats below 1.2e-38 are all equally far apart, so that rounding them is no small share of them.
TEST(ClampOffsetsTest, ALimitAmongTheSmallestFloatsIsKept) {
  for (uint32_t seed = 0; seed < 50; ++seed) {
    std::vector<float> offsets = testing::RandomOffsets(seed, 200);
    const float limit = 1e-44f + 1e-40f * static_cast<float>(seed);
    ClampOffsets(limit, absl::MakeSpan(offsets));
    for (size_t v = 0; v < 200; ++v) EXPECT_LE(Length(offsets, v), double{limit});
    EXPECT_EQ(ClampOffsets(limit, absl::MakeSpan(offsets)), 0u);
  }
}

TEST(ClampOffsetsTest, ALimitOfAFewOfTheSmallestFloatsIsKept) {
  constexpr float kSmallest = std::numeric_limits<float>::denorm_min();
  for (int limit = 0; limit < 12; ++limit) {
    for (int value = 0; value < 12; ++value) {
      const float component = static_cast<float>(value) * kSmallest;
      std::vector<float> offsets(3, component);
      const size_t shortened =
          ClampOffsets(static_cast<float>(limit) * kSmallest, absl::MakeSpan(offsets));
      EXPECT_EQ(shortened, 3 * value * value > limit * limit ? 1u : 0u);
      EXPECT_LE(Length(offsets, 0), double{static_cast<float>(limit) * kSmallest});
    }
  }
}

TEST(ClampOffsetsTest, OneOffsetAmongManyIsFoundWhereverItIs) {
  for (const size_t vertex : {0u, 255u, 256u, 511u, 998u, 999u}) {
    std::vector<float> offsets(3000, 0.01f);
    for (size_t axis = 0; axis < 3; ++axis) offsets[3 * vertex + axis] = -0.047f;
    EXPECT_EQ(ClampOffsets(0.08f, absl::MakeSpan(offsets)), 1u);
    EXPECT_NEAR(Length(offsets, vertex), 0.08, 1e-7);
    EXPECT_EQ(std::count(offsets.begin(), offsets.end(), 0.01f), 2997);
  }
}

TEST(ClampOffsetsTest, HugeAndTinyValuesAndALimitOfZero) {
  std::vector<float> offsets = {3e38f, -3e38f, 3e38f, 1e-40f, 0.0f, 0.0f};
  EXPECT_EQ(ClampOffsets(0.08f, absl::MakeSpan(offsets)), 1u);
  EXPECT_NEAR(Length(offsets, 0), 0.08, 1e-7);
  EXPECT_EQ(ClampOffsets(0.0f, absl::MakeSpan(offsets)), 2u);
  EXPECT_EQ(offsets, (std::vector<float>{0.0f, -0.0f, 0.0f, 0.0f, 0.0f, 0.0f}));
}

}  // namespace
}  // namespace blendwire::mesh

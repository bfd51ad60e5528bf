// SPDX-License-Identifier: Apache-2.0

#include "server/shared_regions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace blendwire::server {
namespace {

constexpr int64_t kSize = 4096;

class SharedRegionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto region = regions_.Open(kSize);
    if (absl::IsUnimplemented(region.status())) GTEST_SKIP() << region.status();
    ASSERT_TRUE(region.ok()) << region.status();
    region_ = *region;
  }

  SharedRegions regions_{3 * kSize};
  std::shared_ptr<SharedRegion> region_;
};

TEST_F(SharedRegionsTest, IsFoundByItsIdUntilItCloses) {
  EXPECT_EQ(region_->id().size(), 16u);
  EXPECT_EQ(regions_.Find(region_->id()), region_);
  EXPECT_EQ(regions_.Find(std::string(16, '\0')), nullptr);
  EXPECT_EQ(regions_.Find(""), nullptr);
  regions_.Close(*region_);
  EXPECT_EQ(regions_.Find(region_->id()), nullptr);
}

TEST_F(SharedRegionsTest, APlaceIsWhereItsOffsetSays) {
  const auto all = region_->Place(0, kSize / 4);
  ASSERT_TRUE(all.ok()) << all.status();
  std::fill(all->begin(), all->end(), 0.0f);
  const auto place = region_->Place(kSize - 8, 2);
  ASSERT_TRUE(place.ok()) << place.status();
  (*place)[1] = 5.0f;
  EXPECT_EQ(all->back(), 5.0f);
}

TEST_F(SharedRegionsTest, NothingOutsideCanBeNamed) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  constexpr size_t kMost = std::numeric_limits<size_t>::max() / sizeof(float);
  for (const auto& [offset, floats] : {std::pair<int64_t, size_t>{-4, 1},
                                       {kMin, 1},
                                       {kMax - 3, 1},
                                       {kSize, 1},
                                       {kSize - 4, 2},
                                       {0, kSize / 4 + 1},
                                       {4, kSize / 4},
                                       {0, kMost},
                                       {kMax - 3, kMost},
                                       {2, 1}}) {
    EXPECT_EQ(region_->Place(offset, floats).status().code(), absl::StatusCode::kInvalidArgument)
        << offset << " " << floats;
  }
}

TEST_F(SharedRegionsTest, AllTogetherHaveALimit) {
  const auto second = regions_.Open(2 * kSize);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(regions_.Open(1).status().code(), absl::StatusCode::kResourceExhausted);
  regions_.Close(*region_);
  regions_.Close(*region_);  // counts once
  EXPECT_TRUE(regions_.Open(kSize).ok());
  EXPECT_EQ(regions_.Open(1).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(SharedRegionsTest, ASizeMustBePositive) {
  EXPECT_EQ(regions_.Open(0).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(regions_.Open(-1).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(regions_.Open(std::numeric_limits<int64_t>::max()).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(SharedRegionsOffTest, ThereAreNoneUnlessAskedFor) {
  SharedRegions none(0);
  EXPECT_EQ(none.Open(1).status().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0

#include "client/internal/answer_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "system/shared_memory.h"

namespace blendwire::client {
namespace {

constexpr size_t kMany = AnswerMemory::kLeastFloats;

// A server's side of a region, where this system has shared memory.
class AnswerMemoryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto memory = system::SharedMemory::Create(kBytes);
    if (absl::IsUnimplemented(memory.status())) GTEST_SKIP() << memory.status();
    ASSERT_TRUE(memory.ok()) << memory.status();
    memory_ = *std::move(memory);
    ASSERT_TRUE(memory_->Reserve(0, kBytes).ok());
  }

  // Asks, and opens what is given.
  std::shared_ptr<SharedRegion> Open() {
    std::shared_ptr<SharedRegion> region = answers_.Ask({kMany});
    if (region == nullptr) return nullptr;
    EXPECT_TRUE(region->Open("id", memory_->name(), kBytes).ok());
    return region;
  }

  void Write(const SharedRegion::Place& place, float value) {
    std::vector<float> values(place.floats, value);
    std::memcpy(memory_->data() + place.offset, values.data(), values.size() * sizeof(float));
  }

  static constexpr int64_t kBytes = 4 * kMany * sizeof(float);
  std::unique_ptr<system::SharedMemory> memory_;
  AnswerMemory answers_;
};

TEST_F(AnswerMemoryTest, LittleIsNotWorthAsking) {
  EXPECT_EQ(answers_.Ask({kMany - 1}), nullptr);
  EXPECT_EQ(answers_.Ask({kMany / 4, kMany / 4}), nullptr);
  EXPECT_NE(answers_.Ask({kMany / 2, kMany / 2}), nullptr);
}

TEST_F(AnswerMemoryTest, ItAsksOnce) {
  EXPECT_NE(answers_.Ask({kMany}), nullptr);
  EXPECT_EQ(answers_.Ask({kMany}), nullptr);
  EXPECT_TRUE(answers_.PlacesFor({kMany})->empty()) << "nothing has been given yet";
}

TEST_F(AnswerMemoryTest, EachAnswerHasAPlaceOfItsOwn) {
  ASSERT_NE(Open(), nullptr);
  const auto places = answers_.PlacesFor({kMany, 5000, 3});
  ASSERT_FALSE(places->empty());
  EXPECT_EQ(places->region_id(), "id");
  for (size_t i = 0; i < 3; ++i) {
    ASSERT_NE(places->place(i), nullptr);
    Write(*places->place(i), static_cast<float>(i) + 0.5f);
  }
  const std::vector<size_t> sizes = {kMany, 5000, 3};
  for (size_t i = 0; i < 3; ++i) {
    const absl::Span<const float> read = places->Read(i);
    EXPECT_EQ(std::vector<float>(read.begin(), read.end()),
              std::vector<float>(sizes[i], static_cast<float>(i) + 0.5f));
  }
}

TEST_F(AnswerMemoryTest, WhatFindsNoRoomIsSent) {
  ASSERT_NE(Open(), nullptr);
  const auto first = answers_.PlacesFor({3 * kMany});
  const auto second = answers_.PlacesFor({2 * kMany, kMany});
  EXPECT_NE(first->place(0), nullptr);
  EXPECT_EQ(second->place(0), nullptr);
  EXPECT_TRUE(second->Read(0).empty());
  EXPECT_NE(second->place(1), nullptr);
  EXPECT_TRUE(answers_.PlacesFor({kMany})->empty());
}

TEST_F(AnswerMemoryTest, RoomIsUsedAgainInAnyOrder) {
  ASSERT_NE(Open(), nullptr);
  for (const std::vector<size_t>& order :
       {std::vector<size_t>{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}}) {
    std::vector<std::shared_ptr<AnswerPlaces>> all;
    for (int i = 0; i < 4; ++i) all.push_back(answers_.PlacesFor({kMany}));
    for (const auto& places : all) ASSERT_FALSE(places->empty());
    for (const size_t i : order) {
      all[i]->CallEnded(absl::OkStatus());
      all[i] = nullptr;
    }
    const auto whole = answers_.PlacesFor({4 * kMany});
    EXPECT_FALSE(whole->empty()) << "the pieces are one again";
    whole->CallEnded(absl::OkStatus());
  }
}

// Whether the region can still be used after a call that ended so.
bool SurvivesCall(AnswerMemory& answers, const absl::Status& end, bool restarted = false) {
  {
    const auto places = answers.PlacesFor({kMany});
    EXPECT_FALSE(places->empty());
    if (restarted) places->CallRestarts();
    places->CallEnded(end);
  }
  return !answers.PlacesFor({kMany})->empty();
}

TEST_F(AnswerMemoryTest, ACallThatTheServerEndedLeavesItsPlace) {
  ASSERT_NE(Open(), nullptr);
  EXPECT_TRUE(SurvivesCall(answers_, absl::InvalidArgumentError("no such viseme")));
}

TEST_F(AnswerMemoryTest, WhereTheServerMayStillWriteNobodyReads) {
  for (const absl::Status& end :
       {absl::CancelledError(""), absl::DeadlineExceededError(""), absl::UnavailableError(""),
        absl::InternalError(""), absl::ResourceExhaustedError("")}) {
    SetUp();
    const std::shared_ptr<SharedRegion> region = Open();
    ASSERT_NE(region, nullptr);
    int cancelled = 0;
    region->OnRetirement([&cancelled] { ++cancelled; });
    EXPECT_FALSE(SurvivesCall(answers_, end)) << end;
    EXPECT_EQ(cancelled, 1) << "the call that the region came with ends";
    answers_.Ended(region, absl::CancelledError(""));
    EXPECT_EQ(cancelled, 1);
  }
}

TEST_F(AnswerMemoryTest, ASecondTryReadsNothingOfTheFirst) {
  ASSERT_NE(Open(), nullptr);
  const auto places = answers_.PlacesFor({kMany});
  places->CallRestarts();
  EXPECT_TRUE(places->Read(0).empty());
  EXPECT_FALSE(SurvivesCall(answers_, absl::OkStatus(), /*restarted=*/true));
}

TEST_F(AnswerMemoryTest, AServerThatHasNoneIsNotAskedAgain) {
  const auto region = answers_.Ask({kMany});
  answers_.Ended(region, absl::UnimplementedError(""));
  EXPECT_EQ(answers_.Ask({kMany}), nullptr);
}

TEST_F(AnswerMemoryTest, AServerThatWasAwayOrHasGoneIsAskedAgain) {
  answers_.Ended(answers_.Ask({kMany}), absl::UnavailableError(""));
  const auto region = Open();
  ASSERT_NE(region, nullptr);
  answers_.Ended(region, absl::InternalError("the connection broke"));
  EXPECT_TRUE(answers_.PlacesFor({kMany})->empty());
  EXPECT_NE(answers_.Ask({kMany}), nullptr);
}

TEST_F(AnswerMemoryTest, AnAnswerOutlivesItsRegion) {
  const auto region = Open();
  const auto places = answers_.PlacesFor({kMany});
  Write(*places->place(0), 7.0f);
  memory_ = nullptr;
  answers_.Ended(region, absl::OkStatus());
  EXPECT_EQ(places->Read(0)[kMany - 1], 7.0f);
}

TEST_F(AnswerMemoryTest, NonsenseFromAServerIsAnError) {
  SharedRegion region;
  EXPECT_FALSE(region.Open("id", "/etc/passwd", kBytes).ok());
  EXPECT_FALSE(region.Open("id", memory_->name(), 0).ok());
  EXPECT_FALSE(region.Open("id", memory_->name(), -1).ok());
  EXPECT_FALSE(region.Open("id", memory_->name(), kBytes + 1).ok());
  EXPECT_FALSE(region.opened());
}

}  // namespace
}  // namespace blendwire::client

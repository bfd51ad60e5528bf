// SPDX-License-Identifier: Apache-2.0

#include "server/memory_budget.h"

#include <atomic>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::server {
namespace {

using ::testing::HasSubstr;

TEST(MemoryBudgetTest, IsGivenBackAtTheEnd) {
  MemoryBudget budget(100);
  {
    const auto all = budget.Reserve(100);
    ASSERT_TRUE(all.ok()) << all.status();
    EXPECT_EQ(budget.used(), 100u);
  }
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudgetTest, WhatIsInUseIsNotThereForOthers) {
  MemoryBudget budget(100);
  const auto most = budget.Reserve(60);
  const absl::Status status = budget.Reserve(41).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("try again"));
  EXPECT_EQ(budget.used(), 60u) << "a refused call holds nothing";
  EXPECT_TRUE(budget.Reserve(40).ok());
}

TEST(MemoryBudgetTest, WhatNeverFitsIsToldSo) {
  MemoryBudget budget(size_t{8} << 20);
  for (const size_t bytes : {(size_t{8} << 20) + 1, std::numeric_limits<size_t>::max() - 1}) {
    const absl::Status status = budget.Reserve(bytes).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(std::string(status.message()), HasSubstr("8 MiB (--memory-budget); send a smaller"));
  }
}

TEST(MemoryBudgetTest, AReservationMoves) {
  MemoryBudget budget(100);
  MemoryBudget::Reservation kept;
  {
    MemoryBudget::Reservation first = budget.Reserve(70).value();
    kept = std::move(first);
  }
  EXPECT_EQ(budget.used(), 70u);
  {
    const MemoryBudget::Reservation moved(std::move(kept));
    EXPECT_EQ(budget.used(), 70u);
  }
  EXPECT_EQ(budget.used(), 0u);
  kept = budget.Reserve(30).value();
  kept = {};
  EXPECT_EQ(budget.used(), 0u);
}

TEST(MemoryBudgetTest, IsNeverExceeded) {
  constexpr size_t kTotal = 1000;
  MemoryBudget budget(kTotal);
  std::atomic<size_t> held{0};
  std::atomic<int> granted{0};
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = 0; i < 2000; ++i) {
        const size_t bytes = 1 + (i * 37 + t * 101) % 400;
        const auto reservation = budget.Reserve(bytes);
        if (!reservation.ok()) continue;
        ++granted;
        EXPECT_LE(held += bytes, kTotal);
        held -= bytes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(granted, 0);
  EXPECT_EQ(budget.used(), 0u);
}

}  // namespace
}  // namespace blendwire::server

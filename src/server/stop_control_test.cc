// SPDX-License-Identifier: Apache-2.0

#include "server/stop_control.h"

#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace blendwire::server {
namespace {

TEST(StopControlTest, GoesOnUntilItIsStopped) {
  const StopControl control;
  EXPECT_FALSE(control.stopped());
  EXPECT_FALSE(control.token().stop_requested());
  EXPECT_TRUE(control.status().ok());
}

TEST(StopControlTest, EveryReasonHasItsStatus) {
  for (const auto& [reason, code] :
       {std::pair{StopReason::kCallerLeft, absl::StatusCode::kCancelled},
        std::pair{StopReason::kDeadline, absl::StatusCode::kDeadlineExceeded},
        std::pair{StopReason::kTimeout, absl::StatusCode::kOk},
        std::pair{StopReason::kShutdown, absl::StatusCode::kUnavailable}}) {
    StopControl control;
    EXPECT_TRUE(control.Stop(reason));
    EXPECT_TRUE(control.stopped());
    EXPECT_TRUE(control.token().stop_requested());
    EXPECT_EQ(control.reason(), reason);
    EXPECT_EQ(control.status().code(), code);
  }
}

TEST(StopControlTest, TheFirstReasonCounts) {
  for (int turn = 0; turn < 50; ++turn) {
    StopControl control;
    std::atomic<int> first{0};
    std::vector<std::thread> threads;
    for (const StopReason reason :
         {StopReason::kCallerLeft, StopReason::kDeadline, StopReason::kShutdown}) {
      threads.emplace_back([&, reason] {
        if (!control.Stop(reason)) return;
        ++first;
        EXPECT_EQ(control.reason(), reason);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(first, 1);
    EXPECT_FALSE(control.Stop(StopReason::kTimeout));
    EXPECT_NE(control.reason(), StopReason::kTimeout);
  }
}

}  // namespace
}  // namespace blendwire::server

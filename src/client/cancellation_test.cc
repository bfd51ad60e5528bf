// SPDX-License-Identifier: Apache-2.0

#include "client/cancellation.h"

#include "gtest/gtest.h"

namespace blendwire {
namespace {

TEST(CancellationTest, CopiesShareOneSwitch) {
  const Cancellation original;
  const Cancellation copy = original;
  const Cancellation other;
  copy.Cancel();
  EXPECT_TRUE(original.cancelled());
  EXPECT_TRUE(copy.cancelled());
  EXPECT_FALSE(other.cancelled());
}

TEST(CancellationTest, ActionsRunOnceWhenItIsThrown) {
  const Cancellation cancellation;
  int first = 0;
  int second = 0;
  cancellation.OnCancel([&] { ++first; });
  const auto forgotten = cancellation.OnCancel([&] { ++second; });
  cancellation.Forget(forgotten);
  EXPECT_EQ(first, 0);
  cancellation.Cancel();
  cancellation.Cancel();
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 0);
}

TEST(CancellationTest, AnActionRunsAtOnceIfItWasThrownBefore) {
  const Cancellation cancellation;
  cancellation.Cancel();
  int runs = 0;
  cancellation.Forget(cancellation.OnCancel([&] { ++runs; }));
  EXPECT_EQ(runs, 1);
}

TEST(CancellationTest, AnActionMayUseTheSwitchItself) {
  const Cancellation cancellation;
  bool seen = false;
  cancellation.OnCancel([&] {
    cancellation.Cancel();
    seen = cancellation.cancelled();
  });
  cancellation.Cancel();
  EXPECT_TRUE(seen);
}

}  // namespace
}  // namespace blendwire

// SPDX-License-Identifier: Apache-2.0

#include "server/work_queue.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

absl::Time Soon() { return absl::Now() + kLong; }

class TestJob : public Job {
 public:
  explicit TestJob(std::function<void(size_t)> run) : run_(std::move(run)) {}
  ~TestJob() override { ++destroyed; }

  void RunUnit(size_t index, absl::Duration waited) override {
    EXPECT_GE(waited, absl::ZeroDuration());
    run_(index);
  }
  bool ReadyForNextUnit() override { return ready; }

  std::atomic<bool> ready{true};
  static inline std::atomic<int> destroyed{0};

 private:
  const std::function<void(size_t)> run_;
};

std::shared_ptr<TestJob> MakeJob(std::function<void(size_t)> run) {
  return std::make_shared<TestJob>(std::move(run));
}

// Waits until `condition` holds.
bool Eventually(const std::function<bool()>& condition) {
  const absl::Time end = Soon();
  while (!condition()) {
    if (absl::Now() > end) return false;
    absl::SleepFor(absl::Milliseconds(1));
  }
  return true;
}

// Keeps one worker busy until Release().
class Blocker {
 public:
  explicit Blocker(WorkQueue& queue) {
    EXPECT_TRUE(queue
                    .Submit(MakeJob([state = state_](size_t) {
                              state->started.Notify();
                              state->release.WaitForNotification();
                            }),
                            1, 1)
                    .ok());
    state_->started.WaitForNotification();
  }
  ~Blocker() {
    if (!state_->release.HasBeenNotified()) Release();
  }
  void Release() { state_->release.Notify(); }

 private:
  // The worker may still look at it when the blocker is gone.
  struct State {
    absl::Notification started;
    absl::Notification release;
  };
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

class Order {
 public:
  void Add(std::string what) {
    absl::MutexLock lock(&mutex_);
    order_.push_back(std::move(what));
  }
  std::vector<std::string> Get() {
    absl::MutexLock lock(&mutex_);
    return order_;
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::string> order_ ABSL_GUARDED_BY(mutex_);
};

TEST(WorkQueueTest, RunsEveryUnitOnce) {
  WorkQueue queue({.workers = 3, .max_waiting = 8});
  EXPECT_EQ(queue.workers(), 3);
  std::vector<std::atomic<int>> times(100);
  ASSERT_TRUE(queue.Submit(MakeJob([&times](size_t i) { ++times[i]; }), 100, 3).ok());
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  EXPECT_TRUE(std::all_of(times.begin(), times.end(), [](const auto& n) { return n == 1; }));
  EXPECT_EQ(queue.running(), 0);
  EXPECT_EQ(queue.waiting(), 0);
}

TEST(WorkQueueTest, ASingleDoesNotWaitForAWholeBatch) {
  WorkQueue queue({.workers = 1, .max_waiting = 8});
  Order order;
  Blocker blocker(queue);
  ASSERT_TRUE(queue.Submit(MakeJob([&](size_t) { order.Add("batch"); }), 100, 1).ok());
  ASSERT_TRUE(queue.Submit(MakeJob([&](size_t) { order.Add("single"); }), 1, 1).ok());
  blocker.Release();
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  const std::vector<std::string> result = order.Get();
  ASSERT_EQ(result.size(), 101u);
  EXPECT_LE(std::find(result.begin(), result.end(), "single") - result.begin(), 1);
}

TEST(WorkQueueTest, BatchesTakeTurns) {
  WorkQueue queue({.workers = 1, .max_waiting = 8});
  Order order;
  Blocker blocker(queue);
  for (const char* name : {"a", "b", "c"}) {
    ASSERT_TRUE(queue.Submit(MakeJob([&order, name](size_t i) {
                               order.Add(name + std::to_string(i));
                             }),
                             3, 1)
                    .ok());
  }
  blocker.Release();
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  EXPECT_THAT(order.Get(), ElementsAre("a0", "b0", "c0", "a1", "b1", "c1", "a2", "b2", "c2"));
}

TEST(WorkQueueTest, NoMoreThanMaxParallelUnitsOfOneJobRun) {
  WorkQueue queue({.workers = 8, .max_waiting = 8});
  std::atomic<int> now{0};
  std::atomic<int> most{0};
  ASSERT_TRUE(queue.Submit(MakeJob([&](size_t) {
                             const int running = ++now;
                             int seen = most.load();
                             while (running > seen && !most.compare_exchange_weak(seen, running)) {
                             }
                             absl::SleepFor(absl::Milliseconds(2));
                             --now;
                           }),
                           50, 2)
                  .ok());
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  EXPECT_EQ(most, 2);
}

TEST(WorkQueueTest, UnitsOfOneJobRunBesideEachOther) {
  WorkQueue queue({.workers = 4, .max_waiting = 8});
  std::latch all(4);  // each unit waits for the other three
  ASSERT_TRUE(queue.Submit(MakeJob([&all](size_t) { all.arrive_and_wait(); }), 4, 4).ok());
  EXPECT_TRUE(queue.AwaitIdle(Soon()));
}

TEST(WorkQueueTest, ParallelismOfLessThanOneIsOne) {
  WorkQueue queue({.workers = 1, .max_waiting = 8});
  std::atomic<int> runs{0};
  ASSERT_TRUE(queue.Submit(MakeJob([&runs](size_t) { ++runs; }), 2, 0).ok());
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  EXPECT_EQ(runs, 2);
}

TEST(WorkQueueTest, AFullQueueRefuses) {
  WorkQueue queue({.workers = 1, .max_waiting = 2});
  Blocker blocker(queue);
  EXPECT_EQ(queue.running(), 1);
  const auto nothing = [](size_t) {};
  ASSERT_TRUE(queue.Submit(MakeJob(nothing), 1, 1).ok());
  ASSERT_TRUE(queue.Submit(MakeJob(nothing), 100, 1).ok());
  EXPECT_EQ(queue.waiting(), 2);
  const absl::Status status = queue.Submit(MakeJob(nothing), 1, 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("2 calls are waiting"));
  blocker.Release();
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  EXPECT_TRUE(queue.Submit(MakeJob(nothing), 1, 1).ok());
}

TEST(WorkQueueTest, AsManyAsThereAreIdleWorkersNeverWait) {
  WorkQueue queue({.workers = 4, .max_waiting = 1});
  absl::Notification release;
  // The workers have to reach their place first.
  ASSERT_TRUE(queue.Submit(MakeJob([](size_t) {}), 1, 1).ok());
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  absl::SleepFor(absl::Milliseconds(50));
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(queue.Submit(MakeJob([&](size_t) { release.WaitForNotification(); }), 1, 1).ok())
        << i;
  }
  ASSERT_TRUE(Eventually([&queue] { return queue.running() == 4; }));
  EXPECT_EQ(queue.waiting(), 1);
  EXPECT_EQ(queue.Submit(MakeJob([](size_t) {}), 1, 1).code(),
            absl::StatusCode::kResourceExhausted);
  release.Notify();
  EXPECT_TRUE(queue.AwaitIdle(Soon()));
}

TEST(WorkQueueTest, WithdrawDropsWhatHasNotStarted) {
  WorkQueue queue({.workers = 1, .max_waiting = 8});
  absl::Notification started;
  absl::Notification release;
  std::atomic<int> runs{0};
  const auto job = MakeJob([&](size_t) {
    ++runs;
    if (!started.HasBeenNotified()) started.Notify();
    release.WaitForNotification();
  });
  ASSERT_TRUE(queue.Submit(job, 10, 1).ok());
  started.WaitForNotification();
  EXPECT_EQ(queue.Withdraw(job.get()), 9u);
  EXPECT_EQ(queue.Withdraw(job.get()), 0u) << "there is nothing left to withdraw";
  EXPECT_EQ(queue.running(), 1);
  release.Notify();
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  EXPECT_EQ(runs, 1);
}

TEST(WorkQueueTest, WithdrawingAWaitingJobMakesRoomAndFreesIt) {
  WorkQueue queue({.workers = 1, .max_waiting = 1});
  Blocker blocker(queue);
  auto job = MakeJob([](size_t) { ADD_FAILURE() << "withdrawn work ran"; });
  ASSERT_TRUE(queue.Submit(job, 3, 1).ok());
  EXPECT_EQ(queue.Withdraw(job.get()), 3u);
  EXPECT_EQ(queue.waiting(), 0);
  EXPECT_EQ(job.use_count(), 1);
  EXPECT_TRUE(queue.Submit(MakeJob([](size_t) {}), 1, 1).ok());
  blocker.Release();
  EXPECT_TRUE(queue.AwaitIdle(Soon()));
}

TEST(WorkQueueTest, WithdrawingAStrangerDoesNothing) {
  WorkQueue queue({.workers = 1, .max_waiting = 1});
  EXPECT_EQ(queue.Withdraw(MakeJob([](size_t) {}).get()), 0u);
}

TEST(WorkQueueTest, CloseRefusesNewWorkAndFinishesTheOld) {
  WorkQueue queue({.workers = 1, .max_waiting = 8});
  Blocker blocker(queue);
  std::atomic<int> runs{0};
  ASSERT_TRUE(queue.Submit(MakeJob([&runs](size_t) { ++runs; }), 5, 1).ok());
  queue.Close();
  EXPECT_EQ(queue.Submit(MakeJob([](size_t) {}), 1, 1).code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(queue.AwaitIdle(absl::Now() + absl::Milliseconds(20)));
  blocker.Release();
  EXPECT_TRUE(queue.AwaitIdle(Soon()));
  EXPECT_EQ(runs, 5);
}

TEST(WorkQueueTest, TheDestructorDropsWhatWaitsAndAwaitsWhatRuns) {
  std::atomic<bool> finished{false};
  absl::Notification started;
  auto waiting = MakeJob([](size_t) { ADD_FAILURE() << "dropped work ran"; });
  {
    WorkQueue queue({.workers = 1, .max_waiting = 8});
    ASSERT_TRUE(queue.Submit(MakeJob([&](size_t i) {
                               EXPECT_EQ(i, 0u);
                               started.Notify();
                               // Until the destructor has begun.
                               while (!absl::IsUnavailable(queue.Submit(waiting, 1, 1))) {
                                 absl::SleepFor(absl::Milliseconds(1));
                               }
                               finished = true;
                             }),
                             2, 1)
                    .ok());
    started.WaitForNotification();
    ASSERT_TRUE(Eventually([&queue] { return queue.waiting() > 0; }));
  }
  EXPECT_TRUE(finished);
  EXPECT_EQ(waiting.use_count(), 1);
}

TEST(WorkQueueTest, AJobThatIsNotReadyWaitsForWakeAndHoldsUpNobody) {
  WorkQueue queue({.workers = 2, .max_waiting = 8});
  std::atomic<int> slow_runs{0};
  const auto slow = MakeJob([&slow_runs](size_t) { ++slow_runs; });
  slow->ready = false;
  ASSERT_TRUE(queue.Submit(slow, 3, 1).ok());
  std::atomic<int> others{0};
  for (int i = 0; i < 20; ++i) {
    absl::Notification done;
    ASSERT_TRUE(queue.Submit(MakeJob([&](size_t) {
                               ++others;
                               done.Notify();
                             }),
                             1, 1)
                    .ok());
    ASSERT_TRUE(done.WaitForNotificationWithTimeout(kLong));
  }
  EXPECT_EQ(slow_runs, 0);
  slow->ready = true;
  queue.Wake();
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  EXPECT_EQ(slow_runs, 3);
}

TEST(WorkQueueTest, AJobIsFreedAfterItsLastUnit) {
  WorkQueue queue({.workers = 2, .max_waiting = 8});
  const int before = TestJob::destroyed;
  ASSERT_TRUE(queue.Submit(MakeJob([](size_t) {}), 5, 2).ok());
  EXPECT_TRUE(Eventually([before] { return TestJob::destroyed == before + 1; }));
}

TEST(WorkQueueTest, AJobMayUseTheQueueFromItsUnitsAndItsDestructor) {
  WorkQueue queue({.workers = 2, .max_waiting = 8});
  std::atomic<int> second_runs{0};
  struct Chain : Job {
    Chain(WorkQueue& q, std::atomic<int>& n) : queue(q), runs(n) {}
    ~Chain() override { queue.Withdraw(this); }
    void RunUnit(size_t index, absl::Duration) override {
      if (index == 0) {
        EXPECT_TRUE(queue.Submit(MakeJob([this_runs = &runs](size_t) { ++*this_runs; }), 4, 4).ok());
        EXPECT_EQ(queue.Withdraw(this), 1u);
      }
    }
    WorkQueue& queue;
    std::atomic<int>& runs;
  };
  ASSERT_TRUE(queue.Submit(std::make_shared<Chain>(queue, second_runs), 2, 1).ok());
  EXPECT_TRUE(Eventually([&second_runs] { return second_runs == 4; }));
}

TEST(WorkQueueTest, TheExpectedWaitGrowsWithTheLine) {
  WorkQueue queue({.workers = 1, .max_waiting = 8});
  ASSERT_TRUE(
      queue.Submit(MakeJob([](size_t) { absl::SleepFor(absl::Milliseconds(40)); }), 1, 1).ok());
  ASSERT_TRUE(queue.AwaitIdle(Soon()));
  const absl::Duration alone = queue.ExpectedWait();
  EXPECT_GE(alone, absl::Milliseconds(40));
  Blocker blocker(queue);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(queue.Submit(MakeJob([](size_t) {}), 1, 1).ok());
  EXPECT_EQ(queue.ExpectedWait(), 4 * alone);
}

// For the thread sanitizer, too: everything at once from everywhere.
TEST(WorkQueueTest, SurvivesEverythingAtOnce) {
  std::atomic<int64_t> expected{0};
  std::atomic<int64_t> ran{0};
  {
    WorkQueue queue({.workers = 4, .max_waiting = 16});
    std::vector<std::thread> callers;
    for (uint32_t c = 0; c < 6; ++c) {
      callers.emplace_back([&, c] {
        std::mt19937 random(c);
        for (int turn = 0; turn < 300; ++turn) {
          const size_t units = 1 + random() % 20;
          const auto job = MakeJob([&ran](size_t) { ++ran; });
          job->ready = random() % 4 != 0;
          expected += static_cast<int64_t>(units);
          if (!queue.Submit(job, units, static_cast<int>(random() % 4)).ok()) {
            expected -= static_cast<int64_t>(units);
            std::this_thread::yield();
            continue;
          }
          if (random() % 3 == 0) expected -= static_cast<int64_t>(queue.Withdraw(job.get()));
          job->ready = true;
          queue.Wake();
          EXPECT_GE(queue.waiting(), 0);
          EXPECT_LE(queue.running(), 4);
        }
      });
    }
    for (std::thread& caller : callers) caller.join();
    ASSERT_TRUE(queue.AwaitIdle(Soon()));
    EXPECT_EQ(queue.waiting(), 0);
    EXPECT_EQ(queue.running(), 0);
  }
  EXPECT_EQ(ran, expected);
  EXPECT_GT(ran, 0);
}

}  // namespace
}  // namespace blendwire::server

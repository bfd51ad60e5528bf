// SPDX-License-Identifier: Apache-2.0

#include "client/internal/retry_transport.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::client {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Time stands still until a wait is let go; then it has passed.
class FakeClock : public Clock {
 public:
  absl::Time Now() override { return now_; }

  std::function<void()> RunAfter(absl::Duration delay, std::function<void()> action) override {
    waits.push_back(delay);
    pending_ = [this, delay, action = std::move(action)](bool cancelled) {
      if (!cancelled) now_ += delay;
      action();
    };
    return [this] { End(/*cancelled=*/true); };
  }

  void FinishWait() { End(/*cancelled=*/false); }

  std::vector<absl::Duration> waits;

 private:
  void End(bool cancelled) {
    if (auto pending = std::exchange(pending_, nullptr)) pending(cancelled);
  }

  absl::Time now_ = absl::UnixEpoch();
  std::function<void(bool)> pending_;
};

class FakeRpc : public Rpc {
 public:
  bool retryable() const override { return can_retry; }
  bool Amend(const absl::Status& status) override {
    amended_for.push_back(status);
    return std::exchange(can_amend, false);
  }
  void Start(Channel&, grpc::ClientContext&, StatusFunction) override {}

  bool can_retry = true;
  bool can_amend = false;
  std::vector<absl::Status> amended_for;
};

struct FakeTransport : public Transport {
  std::function<void()> Start(std::shared_ptr<Rpc>, Attempt attempt, StatusFunction done) override {
    attempts.push_back(std::move(attempt));
    if (!answers.empty()) {
      const absl::Status answer = answers.front();
      answers.pop_front();
      done(answer);
      return [] {};
    }
    running = std::move(done);
    return [this] {
      ++cancels;
      if (auto done_now = std::exchange(running, nullptr)) done_now(absl::CancelledError("wire"));
    };
  }

  std::vector<Attempt> attempts;
  std::deque<absl::Status> answers;  // given before Start returns; none left: the try stays running
  StatusFunction running;
  int cancels = 0;
};

class RetryTransportTest : public ::testing::Test {
 protected:
  RetryTransportTest() {
    policy_.max_attempts = 5;
    policy_.initial_backoff = absl::Milliseconds(100);
    policy_.max_backoff = absl::Milliseconds(350);
    policy_.multiplier = 2.0;
    policy_.jitter = 0.0;
    policy_.max_total_time = absl::Seconds(10);
  }

  std::function<void()> Start(absl::Duration deadline = absl::Seconds(30)) {
    auto inner = std::make_unique<FakeTransport>();
    inner_ = inner.get();
    inner_->answers = answers_;
    transport_ = std::make_unique<RetryTransport>(std::move(inner), policy_, clock_,
                                                  [this] { return random_; });
    Attempt attempt;
    attempt.deadline = clock_->Now() + deadline;
    attempt.request_id = "id";
    return transport_->Start(rpc_, attempt, [this](absl::Status status) {
      EXPECT_FALSE(result_.has_value()) << "ended twice";
      result_ = std::move(status);
    });
  }

  static absl::Status Gone() { return absl::UnavailableError("gone"); }

  RetryPolicy policy_;
  double random_ = 0.0;
  std::shared_ptr<FakeClock> clock_ = std::make_shared<FakeClock>();
  std::shared_ptr<FakeRpc> rpc_ = std::make_shared<FakeRpc>();
  std::deque<absl::Status> answers_;
  std::unique_ptr<RetryTransport> transport_;
  FakeTransport* inner_ = nullptr;
  std::optional<absl::Status> result_;
};

TEST_F(RetryTransportTest, AnAmendedRequestIsTriedAtOnceAndCountsForNothing) {
  policy_.max_attempts = 2;
  rpc_->can_amend = true;
  answers_ = {absl::NotFoundError("mesh"), Gone(), absl::NotFoundError("model")};
  Start();
  EXPECT_THAT(inner_->attempts, SizeIs(2));
  EXPECT_THAT(clock_->waits, SizeIs(1));  // after the second
  clock_->FinishWait();
  EXPECT_EQ(result_, absl::NotFoundError("model"));
  EXPECT_THAT(inner_->attempts, SizeIs(3));
  EXPECT_EQ(rpc_->amended_for.front(), absl::NotFoundError("mesh"));
}

TEST_F(RetryTransportTest, SuccessIsTriedOnce) {
  answers_ = {absl::OkStatus()};
  Start();
  EXPECT_EQ(result_, absl::OkStatus());
  EXPECT_THAT(inner_->attempts, SizeIs(1));
  EXPECT_THAT(clock_->waits, IsEmpty());
  EXPECT_THAT(rpc_->amended_for, IsEmpty());
}

TEST_F(RetryTransportTest, WaitsGrowToTheLimitAndTheLastStatusStands) {
  answers_ = {Gone(), Gone(), Gone(), Gone(), absl::UnavailableError("last")};
  Start();
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(result_.has_value());
    clock_->FinishWait();
  }
  EXPECT_EQ(result_, absl::UnavailableError("last"));
  EXPECT_THAT(clock_->waits, ElementsAre(absl::Milliseconds(100), absl::Milliseconds(200),
                                         absl::Milliseconds(350), absl::Milliseconds(350)));
  ASSERT_THAT(inner_->attempts, SizeIs(5));
  for (const Attempt& attempt : inner_->attempts) {
    EXPECT_EQ(attempt.request_id, "id");
    EXPECT_EQ(attempt.deadline, absl::UnixEpoch() + absl::Seconds(30)) << "the total deadline";
  }
}

TEST_F(RetryTransportTest, JitterShortensAWait) {
  policy_.jitter = 0.5;
  random_ = 0.8;
  answers_ = {Gone(), Gone(), absl::OkStatus()};
  Start();
  clock_->FinishWait();
  clock_->FinishWait();
  EXPECT_EQ(result_, absl::OkStatus());
  ASSERT_THAT(clock_->waits, SizeIs(2));
  EXPECT_NEAR(absl::ToDoubleMilliseconds(clock_->waits[0]), 60.0, 1e-6);
  EXPECT_NEAR(absl::ToDoubleMilliseconds(clock_->waits[1]), 120.0, 1e-6);
}

TEST_F(RetryTransportTest, OnlyUnavailableIsTriedAgain) {
  for (int code = 1; code <= 16; ++code) {
    if (code == static_cast<int>(absl::StatusCode::kUnavailable)) continue;
    result_.reset();
    const absl::Status status(static_cast<absl::StatusCode>(code), "no");
    answers_ = {status};
    Start();
    EXPECT_EQ(result_, status);
  }
  EXPECT_THAT(clock_->waits, IsEmpty());
}

TEST_F(RetryTransportTest, WhatMustNotBeRepeatedIsNot) {
  rpc_->can_retry = false;
  answers_ = {Gone()};
  Start();
  EXPECT_EQ(result_, Gone());
  EXPECT_THAT(inner_->attempts, SizeIs(1));
}

TEST_F(RetryTransportTest, NoWaitEndsAfterTheDeadline) {
  answers_ = {Gone(), Gone()};
  Start(/*deadline=*/absl::Milliseconds(250));  // after 100 ms, 200 more would be too late
  clock_->FinishWait();
  EXPECT_EQ(result_, Gone());
  EXPECT_THAT(inner_->attempts, SizeIs(2));
}

TEST_F(RetryTransportTest, NoWaitEndsAfterTheTotalTime) {
  policy_.max_total_time = absl::Milliseconds(299);
  answers_ = {Gone(), Gone()};
  Start();
  clock_->FinishWait();
  EXPECT_EQ(result_, Gone());
  EXPECT_THAT(clock_->waits, ElementsAre(absl::Milliseconds(100)));
}

TEST_F(RetryTransportTest, CancelReachesTheRunningTry) {
  const auto cancel = Start();
  cancel();
  EXPECT_EQ(result_, absl::CancelledError("wire"));
  cancel();
  EXPECT_EQ(inner_->cancels, 1);
}

TEST_F(RetryTransportTest, CancelEndsAWait) {
  answers_ = {Gone()};
  const auto cancel = Start();
  EXPECT_FALSE(result_.has_value());
  cancel();
  ASSERT_TRUE(result_.has_value());
  EXPECT_EQ(result_->code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(inner_->attempts, SizeIs(1));
}

TEST_F(RetryTransportTest, CancelReachesALaterTry) {
  answers_ = {Gone()};
  const auto cancel = Start();
  clock_->FinishWait();
  EXPECT_THAT(inner_->attempts, SizeIs(2));
  cancel();
  EXPECT_EQ(result_, absl::CancelledError("wire"));
}

}  // namespace
}  // namespace blendwire::client

// SPDX-License-Identifier: Apache-2.0

#include "server/prediction_job.h"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/testing/model_files.h"
#include "server/log.h"

namespace blendwire::server {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

// A call without gRPC: requests, and what the job says about them.
class Call {
 public:
  explicit Call(Core& core, absl::Duration time = absl::InfiniteDuration()) {
    const absl::Time now = absl::Now();
    job_ = std::make_shared<PredictionJob>(
        core, CallInfo{"Test", "id", now, now + time},
        PredictionJob::Answers{
            .response = [this](size_t i) { return &responses[i]; },
            .on_item =
                [this](size_t i, const absl::Status& status) {
                  absl::MutexLock lock(&mutex_);
                  ++answered[i];
                  statuses[i] = status;
                },
            .on_end =
                [this](const absl::Status& status) {
                  end = status;
                  ended.Notify();  // crashes if it comes twice
                },
            .ready_for_more = [] { return true; }});
  }

  // An item for linear.onnx as raw features: offsets = vertices * scale + shift.
  pb::VertexOffsetRequest& Add(float scale, float shift) {
    pb::VertexOffsetRequest& item = *batch.add_requests();
    item.mutable_condition()->set_type(pb::ExpressionCondition::CUSTOM);
    item.mutable_condition()->set_intensity(1.0f);
    for (int i = 0; i < 64; ++i) {
      item.mutable_condition()->add_features(i == 2 ? scale : i >= 4 && i < 7 ? shift : 0.0f);
    }
    return item;
  }

  static void SetMesh(pb::VertexOffsetRequest& item, int count) {
    for (int i = 0; i < 3 * count; ++i) item.add_vertices(0.01f * static_cast<float>(i));
    item.set_vertex_count(count);
  }
  void SetSharedMesh(int count) {
    for (int i = 0; i < 3 * count; ++i) batch.add_vertices(0.01f * static_cast<float>(i));
    batch.set_vertex_count(count);
  }

  // The job speaks to this object until its call has ended.
  ~Call() {
    if (!started_) return;
    EXPECT_TRUE(ended.WaitForNotificationWithTimeout(kLong));
  }

  void Start(int max_parallel = 4) {
    started_ = true;
    const auto count = static_cast<size_t>(batch.requests_size());
    responses.resize(count);
    statuses.resize(count);
    answered.assign(count, 0);
    std::vector<const pb::VertexOffsetRequest*> items;
    for (const pb::VertexOffsetRequest& item : batch.requests()) items.push_back(&item);
    job_->Start(items, &batch, max_parallel, memory);
  }

  void Stop(StopReason reason) { job_->Stop(reason); }
  absl::Status Await() {
    EXPECT_TRUE(ended.WaitForNotificationWithTimeout(kLong));
    return end;
  }

  pb::BatchPredictionRequest batch;
  std::function<absl::StatusOr<size_t>(size_t)> memory = [](size_t bytes) { return bytes; };
  std::vector<pb::VertexOffsetResponse> responses;
  std::vector<absl::Status> statuses;
  std::vector<int> answered;
  absl::Status end;
  absl::Notification ended;

 private:
  absl::Mutex mutex_;
  std::shared_ptr<PredictionJob> job_;
  bool started_ = false;
};

class PredictionJobTest : public ::testing::Test {
 protected:
  PredictionJobTest() {
    ConfigureLog(LogLevel::kError, LogFormat::kText);
    for (const char* name : {"linear", "bare", "slow", "not_finite", "slots"}) {
      EXPECT_TRUE(core_.models.Put(name, model::testing::LoadModel(name)).ok());
    }
    EXPECT_TRUE(core_.models.Put("", model::testing::LoadModel("linear")).ok());
  }

  // Nothing is left over by any call.
  ~PredictionJobTest() override {
    EXPECT_TRUE(core_.queue.AwaitIdle(absl::Now() + kLong));
    EXPECT_EQ(core_.budget.used(), 0u);
  }

  bool WaitForRunning(int units) {
    const absl::Time end = absl::Now() + kLong;
    while (core_.queue.running() != units) {
      if (absl::Now() > end) return false;
      absl::SleepFor(absl::Milliseconds(1));
    }
    return true;
  }

  Core core_{Limits{.max_vertices = 10'000}, WorkQueue::Limits{.workers = 2, .max_waiting = 2},
             size_t{256} << 20, ModelDefaults{}, model::PathPolicy::Create({}).value()};
};

TEST_F(PredictionJobTest, ABatchOverOneMeshIsAnsweredItemByItem) {
  Call call(core_);
  call.SetSharedMesh(100);
  for (int i = 0; i < 20; ++i) call.Add(0.1f * static_cast<float>(i), 0.5f);
  call.Start();
  ASSERT_TRUE(call.Await().ok());
  EXPECT_THAT(call.answered, Each(1));
  for (int i = 0; i < 20; ++i) {
    const pb::VertexOffsetResponse& response = call.responses[static_cast<size_t>(i)];
    EXPECT_TRUE(response.success());
    EXPECT_EQ(response.status_code(), 0);
    ASSERT_EQ(response.offsets_size(), 300);
    for (int k = 0; k < 300; ++k) {
      EXPECT_NEAR(response.offsets(k), 0.01f * static_cast<float>(k * i) * 0.1f + 0.5f, 1e-5f);
    }
    EXPECT_EQ(response.metadata().vertices_processed(), 100);
    EXPECT_EQ(response.metadata().model_name(), "default");
    EXPECT_EQ(response.metadata().model_version(), "1.2.3");
    EXPECT_EQ(response.metadata().execution_provider(), "CPUExecutionProvider");
    EXPECT_GT(response.metadata().inference_time_ms(), 0.0f);
  }
  const Statistics::Counts counts = core_.statistics.Read(false);
  EXPECT_EQ(counts.total, 20);
  EXPECT_EQ(counts.successful, 20);
  EXPECT_EQ(counts.models.at("default").successful, 20);
}

TEST_F(PredictionJobTest, ItemsWithMeshesAndModelsOfTheirOwnStandBesideSharedOnes) {
  Call call(core_);
  call.SetSharedMesh(10);
  call.Add(1.0f, 0.0f);
  Call::SetMesh(call.Add(2.0f, 0.0f), 3);
  call.Add(3.0f, 0.0f).set_model_name("bare");
  Call::SetMesh(call.Add(4.0f, 0.0f), 3);
  call.Start();
  ASSERT_TRUE(call.Await().ok());
  for (size_t i = 0; i < 4; ++i) {
    const pb::VertexOffsetResponse& response = call.responses[i];
    ASSERT_EQ(response.offsets_size(), i % 2 == 0 ? 30 : 9) << response.error_message();
    EXPECT_NEAR(response.offsets(5), 0.05f * static_cast<float>(i + 1), 1e-6f);
  }
  EXPECT_EQ(call.responses[2].metadata().model_name(), "bare");
}

TEST_F(PredictionJobTest, OneBadItemDoesNotFailTheOthers) {
  Call call(core_);
  call.SetSharedMesh(10);
  call.Add(1.0f, 0.0f);
  call.Add(1.0f, 0.0f).mutable_condition()->set_intensity(2.0f);
  call.Add(1.0f, 0.0f).set_model_name("nobody");
  call.Add(1.0f, 0.0f).mutable_options()->set_timeout_seconds(-1);
  call.Add(0.0f, 0.0f).set_model_name("not_finite");
  Call::SetMesh(call.Add(1.0f, 0.0f), 10'001);
  call.Add(1.0f, 0.0f).set_vertex_count(11);
  call.Start();
  ASSERT_TRUE(call.Await().ok());
  EXPECT_THAT(call.answered, Each(1));
  EXPECT_TRUE(call.responses[0].success());
  const std::vector<std::pair<absl::StatusCode, const char*>> expected = {
      {absl::StatusCode::kInvalidArgument, "intensity"},
      {absl::StatusCode::kNotFound, "nobody"},
      {absl::StatusCode::kInvalidArgument, "timeout_seconds"},
      {absl::StatusCode::kInternal, "NaN"},
      {absl::StatusCode::kResourceExhausted, "10001 vertices"},
      {absl::StatusCode::kInvalidArgument, "vertex_count is 11"}};
  for (size_t i = 0; i < expected.size(); ++i) {
    const pb::VertexOffsetResponse& response = call.responses[i + 1];
    EXPECT_FALSE(response.success());
    EXPECT_EQ(response.status_code(), static_cast<int>(expected[i].first));
    EXPECT_EQ(call.statuses[i + 1].code(), expected[i].first);
    EXPECT_THAT(response.error_message(), HasSubstr(expected[i].second));
    EXPECT_EQ(response.offsets_size(), 0);
  }
}

TEST_F(PredictionJobTest, OnlyBadItemsNeedNoQueue) {
  core_.queue.Close();
  Call call(core_);
  call.Add(1.0f, 0.0f);  // without a mesh
  call.Start();
  ASSERT_TRUE(call.Await().ok());
  EXPECT_EQ(call.statuses[0].code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(PredictionJobTest, NoItemsAreNoWork) {
  Call call(core_);
  call.Start();
  EXPECT_TRUE(call.Await().ok());
}

TEST_F(PredictionJobTest, ACallerWhoLeavesStopsTheModel) {
  Call call(core_);
  call.SetSharedMesh(3);
  for (int i = 0; i < 3; ++i) call.Add(1.0f, 0.0f).set_model_name("slow");
  call.Start();
  absl::SleepFor(absl::Milliseconds(50));
  EXPECT_FALSE(call.ended.HasBeenNotified());
  call.Stop(StopReason::kCallerLeft);
  EXPECT_EQ(call.Await().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(call.answered, Each(0)) << "nobody is there to hear";
  EXPECT_EQ(core_.statistics.Read(false).cancelled, 3);
}

// Occupies both workers until it is stopped.
void StartSlow(Call& call) {
  for (const int count : {3, 4}) {
    pb::VertexOffsetRequest& item = call.Add(1.0f, 0.0f);
    item.set_model_name("slow");
    Call::SetMesh(item, count);
  }
  call.Start();
}

TEST_F(PredictionJobTest, WhatWaitsIsWithdrawnAtOnce) {
  Call slow(core_);
  StartSlow(slow);
  ASSERT_TRUE(WaitForRunning(2));
  Call waiting(core_);
  Call::SetMesh(waiting.Add(1.0f, 0.0f), 3);
  Call::SetMesh(waiting.Add(1.0f, 0.0f), 4);
  waiting.Start();
  EXPECT_EQ(core_.queue.waiting(), 1);
  EXPECT_GT(core_.budget.used(), 0u);
  waiting.Stop(StopReason::kDeadline);
  EXPECT_TRUE(waiting.ended.HasBeenNotified()) << "it does not wait for a worker";
  EXPECT_EQ(waiting.end.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(core_.queue.waiting(), 0);
  EXPECT_FALSE(slow.ended.HasBeenNotified());
  slow.Stop(StopReason::kCallerLeft);
  EXPECT_EQ(slow.Await().code(), absl::StatusCode::kCancelled);
}

TEST_F(PredictionJobTest, AFullQueueRefusesTheWholeCall) {
  Call slow(core_);
  StartSlow(slow);
  ASSERT_TRUE(WaitForRunning(2));
  Call first(core_);
  Call second(core_);
  Call third(core_);
  for (Call* call : {&first, &second, &third}) {
    Call::SetMesh(call->Add(1.0f, 0.0f), 3);
    call->Start();
  }
  EXPECT_EQ(third.Await().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(third.end.message()), HasSubstr("queue is full"));
  EXPECT_EQ(core_.statistics.Read(false).rejected, 1);
  slow.Stop(StopReason::kCallerLeft);
  EXPECT_TRUE(first.Await().ok());
  EXPECT_TRUE(second.Await().ok());
}

TEST_F(PredictionJobTest, WhatDoesNotFitTheMemoryIsRefused) {
  Call call(core_);
  call.SetSharedMesh(100);
  call.Add(1.0f, 0.0f);
  call.memory = [](size_t bytes) -> absl::StatusOr<size_t> {
    EXPECT_EQ(bytes, 1200u);
    return size_t{1} << 30;
  };
  call.Start();
  EXPECT_EQ(call.Await().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(call.end.message()), HasSubstr("--memory-budget"));
}

TEST_F(PredictionJobTest, AfterCloseTheCallIsUnavailable) {
  core_.queue.Close();
  Call call(core_);
  call.SetSharedMesh(3);
  call.Add(1.0f, 0.0f);
  call.Start();
  EXPECT_EQ(call.Await().code(), absl::StatusCode::kUnavailable);
}

TEST_F(PredictionJobTest, ShutdownStopsWhatStillRuns) {
  Call slow(core_);
  StartSlow(slow);
  ASSERT_TRUE(WaitForRunning(2));
  core_.abort.request_stop();
  EXPECT_EQ(slow.Await().code(), absl::StatusCode::kUnavailable);
}

TEST_F(PredictionJobTest, AnItemsOwnTimeoutStopsTheModel) {
  const absl::Time start = absl::Now();
  Call call(core_);
  call.SetSharedMesh(3);
  pb::VertexOffsetRequest& slow = call.Add(1.0f, 0.0f);
  slow.set_model_name("slow");
  slow.mutable_options()->set_timeout_seconds(1);
  call.Add(1.0f, 0.0f);
  call.Start();
  EXPECT_TRUE(call.Await().ok()) << "the call itself is fine";
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(999));
  EXPECT_EQ(call.responses[0].status_code(), 4);
  EXPECT_THAT(call.responses[0].error_message(), HasSubstr("options.timeout_seconds (1)"));
  EXPECT_TRUE(call.responses[1].success());
  EXPECT_EQ(core_.statistics.Read(false).deadline_exceeded, 1);
}

TEST_F(PredictionJobTest, ATimeoutCountsWhileWaiting) {
  Call slow(core_);
  StartSlow(slow);
  ASSERT_TRUE(WaitForRunning(2));
  Call waiting(core_);
  waiting.SetSharedMesh(3);
  waiting.Add(1.0f, 0.0f).mutable_options()->set_timeout_seconds(1);
  waiting.Start();
  EXPECT_TRUE(waiting.Await().ok());
  EXPECT_EQ(waiting.statuses[0].code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(slow.ended.HasBeenNotified());
  slow.Stop(StopReason::kCallerLeft);
  EXPECT_TRUE(absl::IsCancelled(slow.Await()));
}

TEST_F(PredictionJobTest, StoppingAfterTheEndChangesNothing) {
  Call call(core_);
  call.SetSharedMesh(3);
  call.Add(1.0f, 0.0f);
  call.Start();
  ASSERT_TRUE(call.Await().ok());
  call.Stop(StopReason::kCallerLeft);
  EXPECT_TRUE(call.responses[0].success());
}

// The call ends while it is stopped from another thread, at every possible moment.
TEST_F(PredictionJobTest, SurvivesBeingStoppedAtAnyTime) {
  for (int turn = 0; turn < 200; ++turn) {
    Call call(core_);
    for (int i = 0; i < 6; ++i) Call::SetMesh(call.Add(1.0f, 0.0f), 3 + i);
    std::thread stopper;
    call.Start(1 + turn % 3);
    stopper = std::thread([&call, turn] {
      absl::SleepFor(absl::Microseconds(10 * turn));
      call.Stop(StopReason::kCallerLeft);
    });
    const absl::Status end = call.Await();
    stopper.join();
    ASSERT_TRUE(end.ok() || absl::IsCancelled(end)) << end;
    const auto answers = std::count(call.answered.begin(), call.answered.end(), 1);
    if (end.ok()) {
      EXPECT_EQ(answers, 6);
    }
    EXPECT_TRUE(std::all_of(call.answered.begin(), call.answered.end(),
                            [](int times) { return times <= 1; }));
  }
  EXPECT_EQ(core_.statistics.Read(false).total, 1200);
}

}  // namespace
}  // namespace blendwire::server

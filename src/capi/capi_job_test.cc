// SPDX-License-Identifier: Apache-2.0
//
// Work in the background.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <thread>
#include <vector>

#include "capi/blendwire.h"
#include "capi/testing/library.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::capi_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(JobTest, RunsInTheBackground) {
  const ClientPointer client = Connect();
  Request request("slow:200");
  const JobPointer job = SubmitPredict(client.get(), request);
  EXPECT_EQ(blendwire_job_poll(job.get()), BLENDWIRE_PENDING);
  EXPECT_EQ(blendwire_job_wait(job.get(), 1), BLENDWIRE_PENDING);
  blendwire_prediction_info info = Info();
  EXPECT_EQ(blendwire_job_prediction(job.get(), &info), BLENDWIRE_FAILED_PRECONDITION);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("still running"));
  EXPECT_EQ(blendwire_job_wait(job.get(), -1), BLENDWIRE_OK);
  EXPECT_EQ(blendwire_job_poll(job.get()), BLENDWIRE_OK);
  EXPECT_EQ(request.offsets, request.Expected());
  EXPECT_EQ(blendwire_job_prediction(job.get(), &info), BLENDWIRE_OK);
  EXPECT_EQ(info.vertices_processed, 4);
  EXPECT_STREQ(blendwire_job_message(job.get()), "");
  EXPECT_EQ(blendwire_job_health(job.get(), nullptr), BLENDWIRE_FAILED_PRECONDITION);
  EXPECT_STREQ(blendwire_last_error(), "the job is not a health check");
}

TEST(JobTest, InputMayGoAsSoonAsItIsSubmitted) {
  const ClientPointer client = Connect();
  std::vector<float> offsets(12);
  JobPointer job;
  std::vector<float> expected;
  {
    Request request("slow:50");
    request.request.offsets = offsets.data();
    expected = request.Expected();
    job = SubmitPredict(client.get(), request);
    request.vertices.assign(12, 99);
  }
  EXPECT_EQ(blendwire_job_wait(job.get(), -1), BLENDWIRE_OK);
  EXPECT_EQ(offsets, expected);
}

TEST(JobTest, IsCancelled) {
  const ClientPointer client = Connect();
  Request request("slow:20000");
  const JobPointer job = SubmitPredict(client.get(), request);
  blendwire_job_cancel(job.get());
  EXPECT_EQ(blendwire_job_wait(job.get(), 5000), BLENDWIRE_CANCELLED);
  EXPECT_STRNE(blendwire_job_message(job.get()), "");
  EXPECT_EQ(blendwire_job_prediction(job.get(), nullptr), BLENDWIRE_CANCELLED);
}

TEST(JobTest, FreeingARunningOneEndsIt) {
  const ClientPointer client = Connect();
  Request request("slow:20000");
  const auto before = std::chrono::steady_clock::now();
  SubmitPredict(client.get(), request).reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_EQ(request.offsets, std::vector<float>(12, -1));
}

TEST(JobTest, OutlivesItsClient) {
  ClientPointer client = Connect();
  Request request("slow:20000");
  const JobPointer job = SubmitPredict(client.get(), request);
  client.reset();
  EXPECT_EQ(blendwire_job_poll(job.get()), BLENDWIRE_CANCELLED);
}

TEST(JobTest, ABatchIsTakenItemByItem) {
  const ClientPointer client = Connect();
  Batch batch({"slow:300", "bad", "aa"});
  blendwire_job* raw = nullptr;
  ASSERT_EQ(blendwire_submit_batch(client.get(), &batch.request, nullptr, &raw), BLENDWIRE_OK);
  const JobPointer job(raw);
  std::vector<size_t> taken;
  size_t index = 99;
  while (blendwire_job_poll(job.get()) == BLENDWIRE_PENDING) {
    while (blendwire_job_next_item(job.get(), &index) == 1) {
      taken.push_back(index);
      if (index == 2) {
        EXPECT_EQ(batch.offsets[2], batch.Expected(2));
        EXPECT_EQ(blendwire_job_item(job.get(), 0, nullptr), BLENDWIRE_PENDING);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  while (blendwire_job_next_item(job.get(), &index) == 1) taken.push_back(index);
  EXPECT_THAT(taken, ElementsAre(2, 1, 0));
  EXPECT_EQ(blendwire_job_poll(job.get()), BLENDWIRE_OK);
  size_t completed = 0;
  size_t total = 0;
  blendwire_job_progress(job.get(), &completed, &total);
  EXPECT_EQ(completed, 3u);
  EXPECT_EQ(total, 3u);
  blendwire_prediction_info info = Info();
  EXPECT_EQ(blendwire_job_item(job.get(), 0, &info), BLENDWIRE_OK);
  EXPECT_EQ(info.vertices_processed, 2);
  EXPECT_EQ(blendwire_job_item(job.get(), 1, &info), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "condition.name is \"bad\"");
  EXPECT_EQ(info.code, BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_job_item(job.get(), 3, &info), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "index is 3, but the job has 3 items");
}

struct Done {
  std::atomic<bool> called = false;
  std::atomic<bool> other_thread = false;
  std::atomic<blendwire_code> waiting_call = BLENDWIRE_OK;
  blendwire_client* client = nullptr;
  const std::thread::id host = std::this_thread::get_id();

  static void FreeIt(void* user, blendwire_job* job) {
    auto& self = *static_cast<Done*>(user);
    self.other_thread = std::this_thread::get_id() != self.host;
    if (self.client != nullptr) self.waiting_call = blendwire_health(self.client, nullptr, nullptr);
    EXPECT_EQ(blendwire_job_poll(job), BLENDWIRE_OK);
    blendwire_job_free(job);
    self.called = true;
  }
};

TEST(JobTest, TellsWhenItIsDoneIfAsked) {
  const ClientPointer client = Connect();
  Request request("slow:100");
  blendwire_job* const job = SubmitPredict(client.get(), request).release();
  Done done;
  done.client = client.get();
  ASSERT_EQ(blendwire_job_on_done(job, &Done::FreeIt, &done), BLENDWIRE_OK);
  EXPECT_EQ(blendwire_job_on_done(job, &Done::FreeIt, &done), BLENDWIRE_FAILED_PRECONDITION);
  while (!done.called) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(done.other_thread);
  EXPECT_EQ(done.waiting_call, BLENDWIRE_FAILED_PRECONDITION);
  EXPECT_EQ(request.offsets, request.Expected());
}

TEST(JobTest, TellsAtOnceIfItIsDoneAlready) {
  const ClientPointer client = Connect();
  Request request;
  blendwire_job* const job = SubmitPredict(client.get(), request).release();
  ASSERT_EQ(blendwire_job_wait(job, -1), BLENDWIRE_OK);
  Done done;
  ASSERT_EQ(blendwire_job_on_done(job, &Done::FreeIt, &done), BLENDWIRE_OK);
  EXPECT_TRUE(done.called);
  EXPECT_FALSE(done.other_thread);
}

}  // namespace
}  // namespace blendwire::capi_test

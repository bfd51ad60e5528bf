// SPDX-License-Identifier: Apache-2.0

#include "server/statistics.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace blendwire::server {
namespace {

PredictionRecord Ran(const char* model, absl::Duration inference) {
  PredictionRecord record;
  record.model_name = std::string(model);
  record.ran = true;
  record.total = inference * 4;
  record.queue = absl::Milliseconds(1);
  record.preprocessing = absl::Milliseconds(2);
  record.inference = inference;
  record.postprocessing = absl::Milliseconds(3);
  return record;
}

PredictionRecord Failed(absl::StatusCode code, const char* model = "") {
  PredictionRecord record;
  record.code = code;
  record.model_name = std::string(model);
  record.total = absl::Milliseconds(7);
  return record;
}

TEST(StatisticsTest, CountsByOutcome) {
  Statistics statistics;
  statistics.Record(Ran("a", absl::Milliseconds(10)));
  statistics.Record(Ran("a", absl::Milliseconds(20)));
  statistics.Record(Failed(absl::StatusCode::kResourceExhausted, "a"));
  statistics.Record(Failed(absl::StatusCode::kCancelled, "b"));
  statistics.Record(Failed(absl::StatusCode::kDeadlineExceeded, "a"));
  statistics.Record(Failed(absl::StatusCode::kInvalidArgument));
  const Statistics::Counts counts = statistics.Read(false);
  EXPECT_EQ(counts.total, 6);
  EXPECT_EQ(counts.successful, 2);
  EXPECT_EQ(counts.failed, 4);
  EXPECT_EQ(counts.rejected, 1);
  EXPECT_EQ(counts.cancelled, 1);
  EXPECT_EQ(counts.deadline_exceeded, 1);
  EXPECT_EQ(counts.total_time.count(), 6);
  EXPECT_EQ(counts.inference_time.count(), 2) << "only those that ran";
  EXPECT_EQ(counts.inference_time.mean(), absl::Milliseconds(15));
  EXPECT_EQ(counts.queue_time.mean(), absl::Milliseconds(1));
  EXPECT_EQ(counts.preprocessing_time.mean(), absl::Milliseconds(2));
  EXPECT_EQ(counts.postprocessing_time.mean(), absl::Milliseconds(3));
  ASSERT_EQ(counts.models.size(), 2u) << "not the request that did not get as far as a model";
  EXPECT_EQ(counts.models.at("a").successful, 2);
  EXPECT_EQ(counts.models.at("a").failed, 2);
  EXPECT_EQ(counts.models.at("a").inference.max(), absl::Milliseconds(20));
  EXPECT_EQ(counts.models.at("b").failed, 1);
}

TEST(StatisticsTest, ReadingWithoutResetChangesNothing) {
  Statistics statistics;
  statistics.Record(Ran("a", absl::Milliseconds(10)));
  statistics.Read(false);
  EXPECT_EQ(statistics.Read(true).total, 1);
  const Statistics::Counts anew = statistics.Read(false);
  EXPECT_EQ(anew.total, 0);
  EXPECT_EQ(anew.inference_time.count(), 0);
  EXPECT_TRUE(anew.models.empty());
}

TEST(StatisticsTest, EveryRecordIsInExactlyOnePeriod) {
  Statistics statistics;
  constexpr int kThreads = 4;
  constexpr int kEach = 500;
  std::atomic<bool> stop{false};
  int64_t total = 0;
  std::thread reader([&] {
    while (!stop) total += statistics.Read(true).models["a"].successful;
  });
  std::vector<std::thread> writers;
  for (int i = 0; i < kThreads; ++i) {
    writers.emplace_back([&statistics] {
      for (int k = 0; k < kEach; ++k) statistics.Record(Ran("a", absl::Milliseconds(k)));
    });
  }
  for (std::thread& writer : writers) writer.join();
  stop = true;
  reader.join();
  total += statistics.Read(true).models["a"].successful;
  EXPECT_EQ(total, kThreads * kEach);
}

}  // namespace
}  // namespace blendwire::server

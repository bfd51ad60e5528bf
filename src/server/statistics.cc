// SPDX-License-Identifier: Apache-2.0

#include "server/statistics.h"

#include <utility>

namespace blendwire::server {

void Statistics::Record(const PredictionRecord& record) {
  const bool ok = record.code == absl::StatusCode::kOk;
  absl::MutexLock lock(&mutex_);
  ++counts_.total;
  ++(ok ? counts_.successful : counts_.failed);
  if (record.code == absl::StatusCode::kResourceExhausted) ++counts_.rejected;
  if (record.code == absl::StatusCode::kCancelled) ++counts_.cancelled;
  if (record.code == absl::StatusCode::kDeadlineExceeded) ++counts_.deadline_exceeded;
  counts_.total_time.Record(record.total);
  if (record.ran) {
    counts_.queue_time.Record(record.queue);
    counts_.preprocessing_time.Record(record.preprocessing);
    counts_.inference_time.Record(record.inference);
    counts_.postprocessing_time.Record(record.postprocessing);
  }
  if (record.model_name.empty()) return;
  PerModel& model = counts_.models[record.model_name];
  ++(ok ? model.successful : model.failed);
  if (record.ran) model.inference.Record(record.inference);
}

Statistics::Counts Statistics::Read(bool reset) {
  absl::MutexLock lock(&mutex_);
  if (!reset) return counts_;
  return std::exchange(counts_, Counts{});
}

}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_STATISTICS_H_
#define BLENDWIRE_SERVER_STATISTICS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/histogram.h"

namespace blendwire::server {

// One finished prediction: a single request, or one item of a batch.
struct PredictionRecord {
  absl::StatusCode code = absl::StatusCode::kOk;
  std::string model_name;    // empty if it did not get as far as having a model
  absl::Duration total;      // arrival to answer
  bool ran = false;          // the following are known
  absl::Duration queue;
  absl::Duration preprocessing;
  absl::Duration inference;
  absl::Duration postprocessing;
};

// Counts what the server has done since its start or the last reset. Safe for use from several
// threads at once.
class Statistics {
 public:
  struct PerModel {
    int64_t successful = 0;
    int64_t failed = 0;
    Histogram inference;
  };

  struct Counts {
    int64_t total = 0;
    int64_t successful = 0;
    int64_t failed = 0;             // everything that is not a success; contains the next three
    int64_t rejected = 0;           // RESOURCE_EXHAUSTED
    int64_t cancelled = 0;          // CANCELLED
    int64_t deadline_exceeded = 0;  // DEADLINE_EXCEEDED
    Histogram total_time;           // of all
    Histogram queue_time;           // of those that ran, as the following
    Histogram preprocessing_time;
    Histogram inference_time;
    Histogram postprocessing_time;
    std::map<std::string, PerModel> models;
  };

  void Record(const PredictionRecord& record);

  // With `reset`, counting begins anew; a record goes into exactly one of the two periods.
  Counts Read(bool reset);

 private:
  absl::Mutex mutex_;
  Counts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_STATISTICS_H_

// SPDX-License-Identifier: Apache-2.0
//
// A request's bytes from the wire to the last answer, over a small model: parsing, validation,
// condition, topology, the model's run, smoothing, clamp. Every item must end exactly once, and an
// offset that comes out must be finite and no longer than was asked for.

#include <atomic>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "check.h"
#include "model/testing/model_files.h"
#include "server/log.h"
#include "server/prediction_job.h"

namespace blendwire::server {
namespace {

Core& TheCore() {
  static Core* const core = [] {
    ConfigureLog(LogLevel::kError, LogFormat::kText);
    Limits limits;
    limits.max_vertices = 4096;
    auto* made = new Core(limits, {.workers = 1, .max_waiting = 4}, size_t{256} << 20, {},
                          model::PathPolicy::Create({}).value());
    for (const char* name : {"linear", "normals", "slots", "fixed_count"}) {
      BLENDWIRE_FUZZ_CHECK(made->models
                               .Put(name == std::string("linear") ? "default" : name,
                                    model::testing::LoadModel(name))
                               .ok());
    }
    return made;
  }();
  return *core;
}

void CheckOffsets(const pb::VertexOffsetRequest& item, const pb::VertexOffsetResponse& response) {
  const float asked = item.options().max_displacement();
  const double limit = asked == 0.0f ? double{predict::kDefaultMaxDisplacement} : double{asked};
  for (int i = 0; i + 2 < response.offsets_size(); i += 3) {
    const double length =
        std::hypot(double{response.offsets(i)}, double{response.offsets(i + 1)},
                   double{response.offsets(i + 2)});
    BLENDWIRE_FUZZ_CHECK(std::isfinite(length));
    BLENDWIRE_FUZZ_CHECK(!item.options().clamp_extreme_values() || length <= limit);
  }
}

void RunCall(const pb::BatchPredictionRequest& batch) {
  const auto count = static_cast<size_t>(batch.requests_size());
  std::vector<const pb::VertexOffsetRequest*> items;
  for (const pb::VertexOffsetRequest& item : batch.requests()) items.push_back(&item);
  std::vector<pb::VertexOffsetResponse> responses(count);
  std::vector<std::atomic<int>> answered(count);
  std::vector<absl::Status> statuses(count);
  absl::Status end;
  absl::Notification ended;
  const absl::Time now = absl::Now();
  const auto job = std::make_shared<PredictionJob>(
      TheCore(), CallInfo{"Fuzz", "id", now, now + absl::Seconds(20)},
      PredictionJob::Answers{.response = [&](size_t i) { return &responses[i]; },
                             .on_item =
                                 [&](size_t i, const absl::Status& status) {
                                   ++answered[i];
                                   statuses[i] = status;
                                 },
                             .on_end =
                                 [&](const absl::Status& status) {
                                   end = status;
                                   ended.Notify();
                                 },
                             .ready_for_more = [] { return true; }});
  job->Start(items, &batch, batch.max_parallel_requests(),
             [](size_t bytes) { return absl::StatusOr<size_t>(bytes); });
  ended.WaitForNotification();
  for (size_t i = 0; end.ok() && i < count; ++i) {
    BLENDWIRE_FUZZ_CHECK(answered[i] == 1);
    if (statuses[i].ok()) CheckOffsets(*items[i], responses[i]);
  }
}

}  // namespace
}  // namespace blendwire::server

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  blendwire::server::pb::BatchPredictionRequest batch;
  if (!batch.ParseFromArray(data, static_cast<int>(size))) return 0;
  // What the service itself refuses before there is a job.
  if (batch.max_parallel_requests() < 0 || batch.requests_size() > 16) return 0;
  for (auto& item : *batch.mutable_requests()) {
    // A hundred iterations over thousands of vertices only cost the fuzzer time.
    auto& options = *item.mutable_options();
    if (options.smoothing_iterations() > 8 && options.smoothing_iterations() <= 100) {
      options.set_smoothing_iterations(8);
    }
  }
  blendwire::server::RunCall(batch);
  return 0;
}

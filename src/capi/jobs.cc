// SPDX-License-Identifier: Apache-2.0
//
// The functions of the API that take a job.

#include <optional>

#include "absl/status/status.h"
#include "capi/blendwire.h"
#include "capi/error.h"
#include "capi/job.h"
#include "capi/results.h"
#include "client/internal/call_tracker.h"

using blendwire::capi::Guard;
using blendwire::capi::NullError;
using blendwire::capi::Report;

namespace {

// Result functions share their check of the handle.
template <typename Function>
blendwire_code WithJob(const blendwire_job* job, Function function) {
  return Guard([&]() -> absl::Status {
    if (job == nullptr) return NullError("job");
    return function(*job->job);
  });
}

blendwire_code PendingOr(const std::optional<absl::Status>& status) {
  return status.has_value() ? Report(*status) : BLENDWIRE_PENDING;
}

}  // namespace

blendwire_code blendwire_job_poll(const blendwire_job* job) {
  if (job == nullptr) return Report(NullError("job"));
  return PendingOr(job->job->Poll());
}

blendwire_code blendwire_job_wait(const blendwire_job* job, int64_t timeout_ms) {
  if (job == nullptr) return Report(NullError("job"));
  if (blendwire::client::CallbackScope::Active()) return PendingOr(job->job->Poll());
  return PendingOr(
      job->job->Wait(timeout_ms < 0 ? absl::InfiniteDuration() : absl::Milliseconds(timeout_ms)));
}

void blendwire_job_cancel(blendwire_job* job) {
  if (job != nullptr) job->job->cancellation().Cancel();
}

void blendwire_job_free(blendwire_job* job) {
  if (job == nullptr) return;
  job->job->Release();
  delete job;
}

const char* blendwire_job_message(const blendwire_job* job) {
  return job == nullptr ? "" : job->job->message();
}

blendwire_code blendwire_job_on_done(blendwire_job* job, blendwire_done done, void* user) {
  return WithJob(job, [&](blendwire::capi::Job& running) -> absl::Status {
    if (done == nullptr) return NullError("done");
    // The function may free the job.
    const std::shared_ptr<blendwire::capi::Job> keep = running.shared_from_this();
    if (keep->OnDone(done, user, job)) return absl::OkStatus();
    return absl::FailedPreconditionError("the job has a function already");
  });
}

blendwire_code blendwire_job_health(const blendwire_job* job, blendwire_health_info* health) {
  return WithJob(job, [&](const auto& done) { return blendwire::capi::WriteHealth(done, health); });
}

blendwire_code blendwire_job_prediction(const blendwire_job* job, blendwire_prediction_info* info) {
  return WithJob(job,
                 [&](const auto& done) { return blendwire::capi::WritePrediction(done, info); });
}

blendwire_code blendwire_job_stats(const blendwire_job* job, blendwire_stats* stats) {
  return WithJob(job, [&](const auto& done) { return blendwire::capi::WriteStats(done, stats); });
}

blendwire_code blendwire_job_model_stats(const blendwire_job* job, size_t index,
                                         blendwire_model_stats* stats) {
  return WithJob(
      job, [&](const auto& done) { return blendwire::capi::WriteModelStats(done, index, stats); });
}

blendwire_code blendwire_job_loaded_version(const blendwire_job* job, char* version,
                                            size_t version_size) {
  return WithJob(job, [&](const auto& done) {
    return blendwire::capi::WriteLoadedVersion(done, version, version_size);
  });
}

blendwire_code blendwire_job_model_count(const blendwire_job* job, size_t* count) {
  return WithJob(job, [&](const blendwire::capi::Job& done) -> absl::Status {
    const auto found = done.Result<blendwire::capi::ModelList>("a list of models");
    if (!found.ok()) return found.status();
    if (count == nullptr) return NullError("count");
    *count = (*found)->infos.size();
    return absl::OkStatus();
  });
}

blendwire_code blendwire_job_model(const blendwire_job* job, size_t index,
                                   blendwire_model_info* info) {
  return WithJob(
      job, [&](const auto& done) { return blendwire::capi::WriteModelInfo(done, index, info); });
}

void blendwire_job_progress(const blendwire_job* job, size_t* completed, size_t* total) {
  if (completed != nullptr) *completed = job == nullptr ? 0 : job->job->completed();
  if (total != nullptr) *total = job == nullptr ? 0 : job->job->item_count();
}

int32_t blendwire_job_next_item(blendwire_job* job, size_t* index) {
  if (job == nullptr) return 0;
  const std::optional<size_t> item = job->job->NextItem();
  if (item.has_value() && index != nullptr) *index = *item;
  return item.has_value() ? 1 : 0;
}

blendwire_code blendwire_job_item(const blendwire_job* job, size_t index,
                                  blendwire_prediction_info* info) {
  blendwire_code code = BLENDWIRE_OK;
  const blendwire_code written = WithJob(job, [&](const blendwire::capi::Job& batch) {
    absl::Status status = blendwire::capi::WriteItem(batch, index, info);
    if (!status.ok()) return status;
    const auto item = batch.Item(index);
    if (!item.has_value()) code = BLENDWIRE_PENDING;
    return item.has_value() ? item->status() : absl::OkStatus();
  });
  return code == BLENDWIRE_PENDING ? code : written;
}

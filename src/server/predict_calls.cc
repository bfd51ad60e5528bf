// SPDX-License-Identifier: Apache-2.0

#include "server/predict_calls.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "contract/metadata_keys.h"
#include "server/call_info.h"
#include "server/prediction_job.h"

namespace blendwire::server {
namespace {

// What an answer has beside its offsets.
constexpr size_t kAnswerOverhead = 256;
// A stream that is not read holds this much; then its runs wait.
constexpr size_t kMaxUnreadBytes = size_t{32} << 20;

// A caller whose deadline has passed cancels the call, usually a moment before this side's clock says
// so: on the wire a deadline is a time span, counted anew from the arrival and rounded up.
StopReason ReasonOfCancel(const CallInfo& info) {
  if (info.deadline == absl::InfiniteFuture()) return StopReason::kCallerLeft;
  const absl::Duration imprecision =
      std::max(absl::Milliseconds(20), (info.deadline - info.arrival) / 100);
  return absl::Now() + imprecision >= info.deadline ? StopReason::kDeadline
                                                    : StopReason::kCallerLeft;
}

// Tells a caller who was turned away when to come back.
void AddRetryAfter(const Core& core, const absl::Status& status,
                   grpc::CallbackServerContext& context) {
  if (status.code() != absl::StatusCode::kResourceExhausted) return;
  context.AddTrailingMetadata(
      contract::kRetryAfterKey,
      absl::StrCat(std::max<int64_t>(1, absl::ToInt64Milliseconds(core.queue.ExpectedWait()))));
}

absl::Status CheckBatch(const Core& core, const pb::BatchPredictionRequest& request) {
  if (request.max_parallel_requests() < 0) {
    return absl::InvalidArgumentError(absl::StrCat("max_parallel_requests is ",
                                                   request.max_parallel_requests(),
                                                   ", but must be 0 (as many as there are "
                                                   "workers) or more"));
  }
  if (request.requests_size() > core.limits.max_batch_items) {
    return absl::ResourceExhaustedError(
        absl::StrCat("requests has ", request.requests_size(), " items; this server takes at most ",
                     core.limits.max_batch_items, " in one batch"));
  }
  return absl::OkStatus();
}

std::vector<const pb::VertexOffsetRequest*> ItemsOf(const pb::BatchPredictionRequest& request) {
  std::vector<const pb::VertexOffsetRequest*> items;
  items.reserve(static_cast<size_t>(request.requests_size()));
  for (const pb::VertexOffsetRequest& item : request.requests()) items.push_back(&item);
  return items;
}

int MaxParallel(const Core& core, const pb::BatchPredictionRequest& request) {
  const int asked = request.max_parallel_requests();
  return asked == 0 ? core.queue.workers() : std::min(asked, core.queue.workers());
}

bool AlwaysReady() { return true; }

class PredictCall final : public grpc::ServerUnaryReactor {
 public:
  PredictCall(Core& core, grpc::CallbackServerContext& context,
              const pb::VertexOffsetRequest& request, pb::VertexOffsetResponse& response) {
    job_ = std::make_shared<PredictionJob>(
        core, CallInfo::From("PredictVertexOffsets", context),
        PredictionJob::Answers{
            .response = [&response](size_t) { return &response; },
            .on_item = [this](size_t, const absl::Status& status) { item_status_ = status; },
            .on_end =
                [this, &core, &context](const absl::Status& status) {
                  const absl::Status& why = status.ok() ? item_status_ : status;
                  AddRetryAfter(core, why, context);
                  job_->info().LogEnd(why, 1);
                  Finish(ToGrpc(why));
                },
            .ready_for_more = AlwaysReady});
    // The answer is one message already counted with the request's.
    job_->Start({&request}, nullptr, 1, [](size_t bytes) { return bytes; });
  }

  void OnCancel() override { job_->Stop(ReasonOfCancel(job_->info())); }
  void OnDone() override { delete this; }

 private:
  absl::Status item_status_;
  std::shared_ptr<PredictionJob> job_;
};

class PredictBatchCall final : public grpc::ServerUnaryReactor {
 public:
  PredictBatchCall(Core& core, grpc::CallbackServerContext& context,
                   const pb::BatchPredictionRequest& request,
                   pb::BatchPredictionResponse& response) {
    job_ = std::make_shared<PredictionJob>(
        core, CallInfo::From("PredictBatch", context),
        PredictionJob::Answers{
            .response = [&response](size_t i) { return response.mutable_responses(static_cast<int>(i)); },
            .on_item = [this](size_t, const absl::Status& status) { if (!status.ok()) all_ok_ = false; },
            .on_end = [this, &core, &context, &response](const absl::Status& status) {
              End(core, context, response, status);
            },
            .ready_for_more = AlwaysReady});
    if (const absl::Status status = CheckBatch(core, request); !status.ok()) {
      job_->info().LogEnd(status, static_cast<size_t>(request.requests_size()));
      Finish(ToGrpc(status));
      return;
    }
    for (int i = 0; i < request.requests_size(); ++i) response.add_responses();
    const size_t limit = core.limits.max_message_bytes;
    const auto overhead = kAnswerOverhead * static_cast<size_t>(request.requests_size());
    job_->Start(ItemsOf(request), &request, MaxParallel(core, request),
                [limit, overhead](size_t bytes) -> absl::StatusOr<size_t> {
                  if (bytes + overhead <= limit) return bytes;
                  return absl::ResourceExhaustedError(absl::StrCat(
                      "the answer to this batch would have about ", bytes >> 20,
                      " MiB, and a message may have ", limit >> 20,
                      " MiB; use PredictStream, or send fewer items at a time"));
                });
  }

  void OnCancel() override { job_->Stop(ReasonOfCancel(job_->info())); }
  void OnDone() override { delete this; }

 private:
  void End(Core& core, grpc::CallbackServerContext& context, pb::BatchPredictionResponse& response,
           const absl::Status& status) {
    response.set_total_processing_time_ms(Millis(absl::Now() - job_->info().arrival));
    response.set_all_successful(all_ok_);
    AddRetryAfter(core, status, context);
    job_->info().LogEnd(status, static_cast<size_t>(response.responses_size()));
    Finish(ToGrpc(status));
  }

  std::atomic<bool> all_ok_{true};
  std::shared_ptr<PredictionJob> job_;
};

class PredictStreamCall final : public grpc::ServerWriteReactor<pb::BatchPredictionUpdate> {
 public:
  PredictStreamCall(Core& core, grpc::CallbackServerContext& context,
                    const pb::BatchPredictionRequest& request)
      : core_(core), context_(context), pending_(static_cast<size_t>(request.requests_size())) {
    job_ = std::make_shared<PredictionJob>(
        core, CallInfo::From("PredictStream", context),
        PredictionJob::Answers{
            .response = [this](size_t i) { return NewUpdate(i); },
            .on_item = [this](size_t i, const absl::Status&) { Enqueue(i); },
            .on_end = [this](const absl::Status& status) { End(status); },
            .ready_for_more = [this] { return unread_bytes_ < kMaxUnreadBytes; }});
    if (const absl::Status status = CheckBatch(core, request); !status.ok()) {
      job_->info().LogEnd(status, static_cast<size_t>(request.requests_size()));
      Finish(ToGrpc(status));
      return;
    }
    job_->Start(ItemsOf(request), &request, MaxParallel(core, request),
                [](size_t bytes) { return std::min(bytes, 2 * kMaxUnreadBytes); });
  }

  void OnWriteDone(bool ok) override {
    bool finish = false;
    {
      absl::MutexLock lock(&mutex_);
      unread_bytes_ -= SizeOf(*ready_.front());
      ready_.pop_front();
      writing_ = false;
      // After a failed write the connection is gone: OnCancel ends the job.
      if (!ok) broken_ = true;
      finish = WriteNext();
    }
    core_.queue.Wake();
    if (finish) Finish(end_);
  }

  void OnCancel() override { job_->Stop(ReasonOfCancel(job_->info())); }
  void OnDone() override { delete this; }

 private:
  static size_t SizeOf(const pb::BatchPredictionUpdate& update) {
    return static_cast<size_t>(update.response().offsets_size()) * sizeof(float) + kAnswerOverhead;
  }

  pb::VertexOffsetResponse* NewUpdate(size_t index) {
    pending_[index] = std::make_unique<pb::BatchPredictionUpdate>();
    pending_[index]->set_index(static_cast<int>(index));
    pending_[index]->set_total(static_cast<int>(pending_.size()));
    return pending_[index]->mutable_response();
  }

  void Enqueue(size_t index) {
    absl::MutexLock lock(&mutex_);
    std::unique_ptr<pb::BatchPredictionUpdate> update = std::move(pending_[index]);
    update->set_completed(++completed_);
    unread_bytes_ += SizeOf(*update);
    ready_.push_back(std::move(update));
    WriteNext();  // the job has not ended, so there is nothing to finish
  }

  void End(const absl::Status& status) {
    AddRetryAfter(core_, status, context_);
    job_->info().LogEnd(status, pending_.size());
    bool finish = false;
    {
      absl::MutexLock lock(&mutex_);
      end_ = ToGrpc(status);
      ended_ = true;
      // A call that failed as a whole is not worth the answers that wait.
      if (!status.ok()) ready_.resize(writing_ ? 1 : 0);
      finish = WriteNext();
    }
    // Outside the lock, and last: gRPC may destroy this object at once.
    if (finish) Finish(end_);
  }

  // Starts the next write if there is one. Whether it is time to finish the call instead.
  bool WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (writing_) return false;
    if (!ready_.empty() && !broken_) {
      writing_ = true;
      StartWrite(ready_.front().get());
      return false;
    }
    return ended_;
  }

  Core& core_;
  grpc::CallbackServerContext& context_;
  std::shared_ptr<PredictionJob> job_;
  // Items that are being predicted; each element is one thread's until it is enqueued.
  std::vector<std::unique_ptr<pb::BatchPredictionUpdate>> pending_;
  std::atomic<size_t> unread_bytes_{0};

  absl::Mutex mutex_;
  std::deque<std::unique_ptr<pb::BatchPredictionUpdate>> ready_ ABSL_GUARDED_BY(mutex_);
  int completed_ ABSL_GUARDED_BY(mutex_) = 0;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status end_;  // written before ended_ is set, constant after
};

}  // namespace

grpc::ServerUnaryReactor* StartPredict(Core& core, grpc::CallbackServerContext& context,
                                       const pb::VertexOffsetRequest& request,
                                       pb::VertexOffsetResponse& response) {
  return new PredictCall(core, context, request, response);
}

grpc::ServerUnaryReactor* StartPredictBatch(Core& core, grpc::CallbackServerContext& context,
                                            const pb::BatchPredictionRequest& request,
                                            pb::BatchPredictionResponse& response) {
  return new PredictBatchCall(core, context, request, response);
}

grpc::ServerWriteReactor<pb::BatchPredictionUpdate>* StartPredictStream(
    Core& core, grpc::CallbackServerContext& context, const pb::BatchPredictionRequest& request) {
  return new PredictStreamCall(core, context, request);
}

}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0
//
// Work in the background, and what came of it. The calls of the API that wait are jobs, too.

#ifndef BLENDWIRE_CAPI_JOB_H_
#define BLENDWIRE_CAPI_JOB_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "capi/blendwire.h"
#include "client/cancellation.h"
#include "client/client.h"
#include "client/managed_server.h"
#include "client/types.h"

namespace blendwire::capi {

// A list of models with their texts as C wants them.
struct ModelList {
  explicit ModelList(std::vector<ModelInfo> list);

  std::vector<ModelInfo> infos;
  std::vector<std::vector<const char*>> condition_slots;
  std::vector<std::vector<const char*>> expressions;
};

using JobResult = std::variant<std::monostate, ServerHealth, PredictionMetadata, ServerStats,
                               LoadedModel, ModelList, std::shared_ptr<ManagedServer>>;

class Job : public std::enable_shared_from_this<Job> {
 public:
  using ItemResult = absl::StatusOr<PredictionMetadata>;

  // `items`: of a batch.
  explicit Job(size_t items = 0) : items_(items) {}
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  const Cancellation& cancellation() const { return cancellation_; }

  // ---- the side that works ----

  // Runs `work` on a thread of its own, which Release() waits for.
  void RunOnThread(std::function<void()> work);
  void FinishItem(size_t index, ItemResult result);
  void Finish(absl::Status status, JobResult result = {});

  // ---- the side that waits ----

  // Nothing while it runs.
  std::optional<absl::Status> Poll() const;
  // Waits for the end, up to `timeout`.
  std::optional<absl::Status> Wait(absl::Duration timeout) const;
  // Waits for the end or an item to take.
  void WaitForItem() const;

  // `handle` is what `done` gets; false if there is such a function already.
  bool OnDone(blendwire_done done, void* user, blendwire_job* handle);

  // Cancels, and waits until the job is done and nothing of the host's is in use any more.
  void Release();

  // The message of the error that it ended with, as long as the job lives; "" otherwise.
  const char* message() const;

  size_t item_count() const { return items_.size(); }
  size_t completed() const;
  std::optional<size_t> NextItem();
  // Nothing while it is not finished.
  std::optional<ItemResult> Item(size_t index) const;

  // The result of a job that is done and succeeded; `what` names the kind of job it should be.
  template <typename T>
  absl::StatusOr<const T*> Result(absl::string_view what) const {
    const std::optional<absl::Status> status = Poll();
    if (!status.has_value()) return absl::FailedPreconditionError("the job is still running");
    if (!status->ok()) return *status;
    // Constant from here on.
    if (const T* result = ResultIf<T>()) return result;
    return absl::FailedPreconditionError(absl::StrCat("the job is not ", what));
  }

  absl::StatusOr<std::shared_ptr<ManagedServer>> TakeServer();

 private:
  template <typename T>
  const T* ResultIf() const {
    absl::MutexLock lock(&mutex_);
    return std::get_if<T>(&result_);
  }
  bool Idle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return done_ && !notifying_; }
  bool ItemReadyOrDone() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return done_ || !ready_.empty();
  }

  const Cancellation cancellation_;
  std::thread thread_;

  mutable absl::Mutex mutex_;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::string message_ ABSL_GUARDED_BY(mutex_);
  JobResult result_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::optional<ItemResult>> items_;  // its size is constant, the elements are guarded
  size_t completed_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<size_t> ready_ ABSL_GUARDED_BY(mutex_);  // finished, not taken
  blendwire_done on_done_ ABSL_GUARDED_BY(mutex_) = nullptr;
  void* on_done_user_ ABSL_GUARDED_BY(mutex_) = nullptr;
  blendwire_job* handle_ ABSL_GUARDED_BY(mutex_) = nullptr;
  bool notifying_ ABSL_GUARDED_BY(mutex_) = false;  // a thread of the library runs on_done_
};

}  // namespace blendwire::capi

struct blendwire_job {
  std::shared_ptr<blendwire::capi::Job> job;
};

struct blendwire_client {
  blendwire::Client client;
};

struct blendwire_server {
  std::shared_ptr<blendwire::ManagedServer> server;  // shared with its jobs
};

#endif  // BLENDWIRE_CAPI_JOB_H_

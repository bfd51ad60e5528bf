// SPDX-License-Identifier: Apache-2.0

#include "client/internal/retry_transport.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"

namespace blendwire::client {
namespace {

// One call's tries. It is at any time in one step: a try, or a wait before the next try; it lives
// as long as that step refers to it.
class RetryLoop : public std::enable_shared_from_this<RetryLoop> {
 public:
  RetryLoop(Transport& inner, const RetryPolicy& policy, std::shared_ptr<Clock> clock,
            Random random, std::shared_ptr<Rpc> rpc, Attempt attempt, StatusFunction done)
      : inner_(inner),
        clock_(std::move(clock)),
        max_attempts_(attempt.max_attempts > 0 ? attempt.max_attempts : policy.max_attempts),
        backoff_(policy, std::move(random)),
        rpc_(std::move(rpc)),
        attempt_(std::move(attempt)),
        done_(std::move(done)),
        last_moment_(std::min(clock_->Now() + policy.max_total_time, attempt_.deadline)) {}

  void Try() {
    ++attempts_;
    const uint64_t step = NextStep();
    // Once the call has ended its transport may be gone. A caller keeps it while it starts a call,
    // but the timer that starts another try does not: that one ends when this function does.
    const bool hold = attempts_ > 1;
    if (hold) SetHeld(true);
    std::function<void()> cancel =
        inner_.Start(rpc_, attempt_, [self = shared_from_this()](absl::Status status) {
          if (!self->KeepIfHeld(status)) self->OnTryEnded(std::move(status));
        });
    CancelWith(step, std::move(cancel));
    if (hold) {
      if (std::optional<absl::Status> ended = SetHeld(false)) OnTryEnded(*std::move(ended));
    }
  }

  void Cancel() {
    std::function<void()> cancel;
    {
      absl::MutexLock lock(&mutex_);
      cancelled_ = true;
      cancel = cancel_step_;
    }
    if (cancel) cancel();
  }

 private:
  uint64_t NextStep() {
    absl::MutexLock lock(&mutex_);
    cancel_step_ = nullptr;
    return ++step_;
  }

  // A step can be over before the function that cancels it is known.
  void CancelWith(uint64_t step, std::function<void()> cancel) {
    {
      absl::MutexLock lock(&mutex_);
      if (step_ != step) return;
      cancel_step_ = cancel;
      if (!cancelled_) return;
    }
    cancel();
  }

  // Returns the end of a try that came in while it was held.
  std::optional<absl::Status> SetHeld(bool held) {
    absl::MutexLock lock(&mutex_);
    held_ = held;
    return std::exchange(held_status_, std::nullopt);
  }

  bool KeepIfHeld(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    if (held_) held_status_ = status;
    return held_;
  }

  void OnTryEnded(absl::Status status) {
    const uint64_t step = NextStep();
    if (!status.ok() && rpc_->Amend(status)) {
      ++max_attempts_;
      return OnWaitEnded();
    }
    if (status.code() != absl::StatusCode::kUnavailable) return Finish(std::move(status));
    if (cancelled()) return Finish(absl::CancelledError("the call was cancelled"));
    if (!rpc_->retryable() || attempts_ >= max_attempts_) return Finish(std::move(status));
    const absl::Duration wait = backoff_.Next();
    if (clock_->Now() + wait > last_moment_) return Finish(std::move(status));
    CancelWith(step, clock_->RunAfter(wait, [self = shared_from_this()] { self->OnWaitEnded(); }));
  }

  void OnWaitEnded() {
    if (!cancelled()) return Try();
    NextStep();
    Finish(absl::CancelledError("the call was cancelled"));
  }

  void Finish(absl::Status status) { std::exchange(done_, nullptr)(std::move(status)); }

  bool cancelled() {
    absl::MutexLock lock(&mutex_);
    return cancelled_;
  }

  // Not owned: the last reference to a channel must not go on one of gRPC's own threads.
  Transport& inner_;
  const std::shared_ptr<Clock> clock_;

  // Touched by one step at a time, each of which starts the next.
  int max_attempts_;
  Backoff backoff_;
  const std::shared_ptr<Rpc> rpc_;
  const Attempt attempt_;
  StatusFunction done_;
  const absl::Time last_moment_;
  int attempts_ = 0;

  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t step_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> cancel_step_ ABSL_GUARDED_BY(mutex_);
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> held_status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

RetryTransport::RetryTransport(std::unique_ptr<Transport> inner, const RetryPolicy& policy,
                               std::shared_ptr<Clock> clock, Random random)
    : inner_(std::move(inner)),
      policy_(policy),
      clock_(std::move(clock)),
      random_(std::move(random)) {}

std::function<void()> RetryTransport::Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                                            StatusFunction done) {
  auto loop = std::make_shared<RetryLoop>(*inner_, policy_, clock_, random_, std::move(rpc),
                                          std::move(attempt), std::move(done));
  loop->Try();
  return [loop] { loop->Cancel(); };
}

}  // namespace blendwire::client

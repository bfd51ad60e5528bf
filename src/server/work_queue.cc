// SPDX-License-Identifier: Apache-2.0

#include "server/work_queue.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace blendwire::server {
namespace {

constexpr absl::Duration kIdleAfter = absl::Seconds(1);

}  // namespace

WorkQueue::WorkQueue(const Limits& limits, std::function<void()> on_idle)
    : max_waiting_(limits.max_waiting), on_idle_(std::move(on_idle)) {
  threads_.reserve(static_cast<size_t>(limits.workers));
  for (int i = 0; i < limits.workers; ++i) threads_.emplace_back([this] { Work(); });
}

WorkQueue::~WorkQueue() {
  {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
    stopping_ = true;
    entries_.clear();
    waiting_ = 0;
  }
  for (std::thread& thread : threads_) thread.join();
}

absl::Status WorkQueue::Submit(std::shared_ptr<Job> job, size_t units, int max_parallel) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return absl::UnavailableError("the server is shutting down");
  // An idle worker takes the job at once, so it does not count as waiting.
  if (waiting_ - idle_workers_ >= max_waiting_) {
    return absl::ResourceExhaustedError(
        absl::StrCat("the queue is full (", waiting_, " calls are waiting); try again in about ",
                     absl::FormatDuration(absl::Trunc(ExpectedWaitLocked(), absl::Milliseconds(1)))));
  }
  entries_.push_back(Entry{std::move(job), units, 0, 0, std::max(1, max_parallel), absl::Now()});
  ++waiting_;
  return absl::OkStatus();
}

size_t WorkQueue::Withdraw(const Job* job) {
  std::shared_ptr<Job> dropped;  // destroyed outside the lock
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [job](const Entry& entry) { return entry.job.get() == job; });
  if (found == entries_.end()) return 0;
  const size_t left = found->units - found->next;
  if (found->next == 0) --waiting_;
  found->units = found->next;
  if (found->running == 0) {
    dropped = std::move(found->job);
    entries_.erase(found);
  }
  return left;
}

void WorkQueue::Wake() {
  // Releasing the mutex makes waiting workers look at their condition again.
  absl::MutexLock lock(&mutex_);
}

void WorkQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

bool WorkQueue::AwaitIdle(absl::Time deadline) {
  absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithDeadline(absl::Condition(
      +[](WorkQueue* queue) ABSL_NO_THREAD_SAFETY_ANALYSIS { return queue->Idle(); }, this), deadline);
}

int WorkQueue::waiting() const {
  absl::MutexLock lock(&mutex_);
  return waiting_;
}

int WorkQueue::running() const {
  absl::MutexLock lock(&mutex_);
  return running_;
}

absl::Duration WorkQueue::ExpectedWait() const {
  absl::MutexLock lock(&mutex_);
  return ExpectedWaitLocked();
}

absl::Duration WorkQueue::ExpectedWaitLocked() const {
  const absl::Duration each = std::max(mean_unit_time_, absl::Milliseconds(1));
  return each * (waiting_ + 1) / std::max<int64_t>(1, static_cast<int64_t>(threads_.size()));
}

WorkQueue::Entries::iterator WorkQueue::FindRunnable() {
  return std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) {
    return entry.next < entry.units && entry.running < entry.max_parallel &&
           entry.job->ReadyForNextUnit();
  });
}

bool WorkQueue::HasWork() { return stopping_ || FindRunnable() != entries_.end(); }

void WorkQueue::AwaitWork() {
  const absl::Condition has_work(
      +[](WorkQueue* queue) ABSL_NO_THREAD_SAFETY_ANALYSIS { return queue->HasWork(); }, this);
  // Only a worker that may have to call on_idle_ looks at the clock: an idle server sleeps.
  while (worked_ && on_idle_) {
    if (mutex_.AwaitWithTimeout(has_work, kIdleAfter)) return;
    if (!worked_ || !Idle()) continue;
    worked_ = false;
    mutex_.Unlock();
    on_idle_();
    mutex_.Lock();
  }
  mutex_.Await(has_work);
}

void WorkQueue::Work() {
  absl::MutexLock lock(&mutex_);
  while (true) {
    ++idle_workers_;
    AwaitWork();
    --idle_workers_;
    if (stopping_) return;

    const auto entry = FindRunnable();
    // A job may have stopped being ready since.
    if (entry == entries_.end()) continue;
    const size_t index = entry->next++;
    entry->job->UnitStarts(index);
    if (index == 0) --waiting_;
    ++entry->running;
    ++running_;
    worked_ = true;
    entries_.splice(entries_.end(), entries_, entry);
    std::shared_ptr<Job> job = entry->job;
    const absl::Time start = absl::Now();
    const absl::Duration waited = start - entry->submitted;

    mutex_.Unlock();
    job->RunUnit(index, waited);
    mutex_.Lock();

    --running_;
    const absl::Duration took = absl::Now() - start;
    mean_unit_time_ =
        mean_unit_time_ == absl::ZeroDuration() ? took : mean_unit_time_ * 0.9 + took * 0.1;
    // The destructor may have cleared the line meanwhile.
    const auto mine = std::find_if(entries_.begin(), entries_.end(),
                                   [&](const Entry& other) { return other.job == job; });
    if (mine != entries_.end()) {
      --mine->running;
      if (mine->running == 0 && mine->next >= mine->units) entries_.erase(mine);
    }
    // The last reference may destroy the call: not under the lock.
    mutex_.Unlock();
    job.reset();
    mutex_.Lock();
  }
}

}  // namespace blendwire::server

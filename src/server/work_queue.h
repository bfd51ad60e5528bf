// SPDX-License-Identifier: Apache-2.0
//
// The worker pool and the bounded queue in front of it.
//
// A job is one call: one unit of work for a single prediction, several for a batch. Workers take one
// unit from the job at the head of the line and put the job back at the end, so that every call gets
// its turn and a batch of a hundred units cannot starve a single request.

#ifndef BLENDWIRE_SERVER_WORK_QUEUE_H_
#define BLENDWIRE_SERVER_WORK_QUEUE_H_

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace blendwire::server {

// Implemented by a call. The queue keeps it alive while it has units left.
class Job {
 public:
  virtual ~Job() = default;

  // Does unit `index`, on a worker thread. `waited` is the time since the job was submitted.
  virtual void RunUnit(size_t index, absl::Duration waited) = 0;

  // Unit `index` is about to start; units start in order. Under the queue's lock, like
  // ReadyForNextUnit(): neither may call the queue.
  virtual void UnitStarts(size_t /*index*/) {}

  // Whether the next unit may start now; asked before each. A job that says no is left out until
  // WorkQueue::Wake() or the end of any unit.
  virtual bool ReadyForNextUnit() { return true; }
};

// Safe for use from several threads at once.
class WorkQueue {
 public:
  struct Limits {
    int workers = 4;
    int max_waiting = 64;  // jobs of which no unit has started
  };

  // `on_idle` is called on a worker thread once no work has come for a second after some was done.
  explicit WorkQueue(const Limits& limits, std::function<void()> on_idle = nullptr);
  // Drops what has not started, and waits for what has.
  ~WorkQueue();

  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Up to `max_parallel` units of the job run at a time. RESOURCE_EXHAUSTED if the queue is full,
  // saying how long to wait; UNAVAILABLE after Close().
  absl::Status Submit(std::shared_ptr<Job> job, size_t units, int max_parallel);

  // Units of this job that have not started never will; how many those are.
  size_t Withdraw(const Job* job);

  // A job that was not ready may be so now.
  void Wake();

  // No more jobs are taken.
  void Close();

  // Whether all jobs are done by `deadline`.
  bool AwaitIdle(absl::Time deadline);

  int workers() const { return static_cast<int>(threads_.size()); }
  int waiting() const;  // jobs of which no unit has started
  int running() const;  // units being worked on

  // A guess at how long a job submitted now would wait, from the mean time of recent units.
  absl::Duration ExpectedWait() const;

 private:
  struct Entry {
    std::shared_ptr<Job> job;
    size_t units = 0;
    size_t next = 0;      // first unit that has not started
    int running = 0;
    int max_parallel = 1;
    absl::Time submitted;
  };
  using Entries = std::list<Entry>;

  void Work();
  void AwaitWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Entries::iterator FindRunnable() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool HasWork() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Idle() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return entries_.empty() && running_ == 0; }
  absl::Duration ExpectedWaitLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const int max_waiting_;
  const std::function<void()> on_idle_;
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // the line; jobs with units left
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  int waiting_ ABSL_GUARDED_BY(mutex_) = 0;
  int idle_workers_ ABSL_GUARDED_BY(mutex_) = 0;
  bool worked_ ABSL_GUARDED_BY(mutex_) = false;  // since on_idle_ was called
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration mean_unit_time_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_WORK_QUEUE_H_

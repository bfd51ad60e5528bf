// SPDX-License-Identifier: Apache-2.0

#include "system/parallel_for.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <exception>
#include <system_error>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace blendwire::system {
namespace {

// More would wait for memory, not for each other.
constexpr unsigned kMostHelpers = 7;
// How often a helper looks for the next job before it sleeps: for some 50 microseconds. One
// prediction has several jobs in a row, and waking a thread takes as long.
constexpr int kLooks = 100;

struct Job {
  // Takes pieces until there are none.
  void Work() {
    try {
      while (true) {
        const size_t begin = next.fetch_add(grain, std::memory_order_relaxed);
        if (begin >= count) break;
        body(begin, std::min(begin + grain, count));
      }
    } catch (...) {
      const absl::MutexLock lock(&mutex);
      if (thrown == nullptr) thrown = std::current_exception();
      next.store(count, std::memory_order_relaxed);
    }
  }

  // When all have returned from Work().
  void Rethrow() {
    const absl::MutexLock lock(&mutex);
    if (thrown != nullptr) std::rethrow_exception(thrown);
  }

  const size_t count;
  const size_t grain;
  const absl::FunctionRef<void(size_t, size_t)> body;
  std::atomic<size_t> next = 0;
  std::atomic<int> helping = 0;
  absl::Mutex mutex = {};
  std::exception_ptr thrown ABSL_GUARDED_BY(mutex) = nullptr;
};

class Helpers {
 public:
  Helpers() {
    const unsigned processors = std::max(1U, std::thread::hardware_concurrency());
    const unsigned wanted = std::min(processors - 1, kMostHelpers);
    try {
      for (unsigned i = 0; i < wanted; ++i) std::thread([this] { HelpForEver(); }).detach();
    } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch)
      // The system has no more threads for this process: it goes on with those that are there.
    }
  }

  // False if they help somebody else.
  bool Run(Job& job) {
    if (!busy_.TryLock()) return false;
    Offer(&job);
    job.Work();
    Offer(nullptr);
    while (job.helping.load(std::memory_order_acquire) > 0) std::this_thread::yield();
    busy_.Unlock();
    return true;
  }

 private:
  void Offer(Job* job) {
    const absl::MutexLock lock(&mutex_);
    job_ = job;
    if (job == nullptr) return;
    offers_.fetch_add(1, std::memory_order_relaxed);
    offered_.SignalAll();
  }

  [[noreturn]] void HelpForEver() {
    uint64_t seen = 0;
    while (true) {
      for (int i = 0; i < kLooks && offers_.load(std::memory_order_relaxed) == seen; ++i) {
        std::this_thread::yield();
      }
      Job* job = nullptr;
      {
        const absl::MutexLock lock(&mutex_);
        while (offers_.load(std::memory_order_relaxed) == seen) offered_.Wait(&mutex_);
        seen = offers_.load(std::memory_order_relaxed);
        job = job_;
        if (job != nullptr) job->helping.fetch_add(1, std::memory_order_relaxed);
      }
      if (job == nullptr) continue;
      job->Work();
      job->helping.fetch_sub(1, std::memory_order_release);
    }
  }

  absl::Mutex busy_;
  absl::Mutex mutex_;
  absl::CondVar offered_;
  Job* job_ ABSL_GUARDED_BY(mutex_) = nullptr;
  std::atomic<uint64_t> offers_ = 0;  // changes under mutex_
};

}  // namespace

void ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body) {
  Job job{count, grain, body};
  if (count > grain) {
    // Never destroyed: its threads may still sleep in it when the process ends.
    static Helpers* const helpers = new Helpers;
    if (helpers->Run(job)) return job.Rethrow();
  }
  job.Work();
  job.Rethrow();
}

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_LOG_TAIL_H_
#define BLENDWIRE_CLIENT_INTERNAL_LOG_TAIL_H_

#include <cstddef>
#include <deque>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "system/process.h"

namespace blendwire::client {

// Reads a process's standard error on a thread of its own, so that the process never blocks on a
// full pipe, and keeps the last lines.
class LogTail {
 public:
  static constexpr size_t kMaxLines = 100;

  // `process` must outlive this.
  explicit LogTail(system::Process& process);
  // Ends all reading from the process.
  ~LogTail();
  LogTail(const LogTail&) = delete;
  LogTail& operator=(const LogTail&) = delete;

  std::vector<std::string> Lines() const;

  // Waits until the process has closed its standard error, so that Lines() has its last words.
  void AwaitEnd(absl::Duration timeout) const;

 private:
  void Run();

  system::Process& process_;
  mutable absl::Mutex mutex_;
  std::deque<std::string> lines_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_LOG_TAIL_H_

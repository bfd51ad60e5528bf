// SPDX-License-Identifier: Apache-2.0

#include "client/internal/log_tail.h"

#include <utility>

#include "absl/status/statusor.h"

namespace blendwire::client {

LogTail::LogTail(system::Process& process) : process_(process), thread_([this] { Run(); }) {}

LogTail::~LogTail() {
  process_.StopReading();
  thread_.join();
}

std::vector<std::string> LogTail::Lines() const {
  absl::MutexLock lock(&mutex_);
  return {lines_.begin(), lines_.end()};
}

void LogTail::AwaitEnd(absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&ended_), timeout);
}

void LogTail::Run() {
  while (true) {
    absl::StatusOr<std::string> line =
        process_.ReadLine(system::Process::Output::kStandardError, absl::InfiniteDuration());
    absl::MutexLock lock(&mutex_);
    if (!line.ok()) {
      ended_ = true;
      return;
    }
    lines_.push_back(*std::move(line));
    if (lines_.size() > kMaxLines) lines_.pop_front();
  }
}

}  // namespace blendwire::client

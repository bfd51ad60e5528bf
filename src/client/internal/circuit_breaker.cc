// SPDX-License-Identifier: Apache-2.0

#include "client/internal/circuit_breaker.h"

#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"

namespace blendwire::client {

CircuitBreaker::CircuitBreaker(int limit, absl::Duration window)
    : limit_(static_cast<size_t>(limit)), window_(window) {}

void CircuitBreaker::RecordFailure(absl::Time when, std::string why) {
  if (open_) return;
  while (!failures_.empty() && when - failures_.front().when > window_) failures_.pop_front();
  failures_.push_back({when, std::move(why)});
  open_ = failures_.size() >= limit_;
}

absl::Status CircuitBreaker::Check() const {
  if (!open_) return absl::OkStatus();
  std::string message = absl::StrCat("the server is not started again: it failed ",
                                     failures_.size(), " times within ",
                                     absl::FormatDuration(window_));
  for (size_t i = 0; i < failures_.size(); ++i) {
    absl::StrAppend(&message, "\n", i + 1, ". ", failures_[i].why);
  }
  return absl::FailedPreconditionError(message);
}

}  // namespace blendwire::client

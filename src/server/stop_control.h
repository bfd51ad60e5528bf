// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_STOP_CONTROL_H_
#define BLENDWIRE_SERVER_STOP_CONTROL_H_

#include <atomic>
#include <stop_token>

#include "absl/status/status.h"

namespace blendwire::server {

enum class StopReason {
  kNone,
  kCallerLeft,
  kDeadline,  // the call's own: the caller has stopped waiting
  kTimeout,   // options.timeout_seconds of every item
  kShutdown,
};

// Why and whether a call is to be stopped; the first reason counts. Safe for use from several
// threads at once.
class StopControl {
 public:
  // Whether this was the first.
  bool Stop(StopReason reason) {
    StopReason none = StopReason::kNone;
    if (!reason_.compare_exchange_strong(none, reason)) return false;
    source_.request_stop();
    return true;
  }

  std::stop_token token() const { return source_.get_token(); }

  StopReason reason() const { return reason_.load(); }
  bool stopped() const { return reason() != StopReason::kNone; }

  // How the call as a whole ends. OK if it was not stopped, or because its items ran out of time:
  // each of them says so itself.
  absl::Status status() const {
    switch (reason()) {
      case StopReason::kNone:
      case StopReason::kTimeout:
        return absl::OkStatus();
      case StopReason::kCallerLeft:
        return absl::CancelledError("the caller cancelled the call or went away");
      case StopReason::kDeadline:
        return absl::DeadlineExceededError("the call's deadline has passed");
      case StopReason::kShutdown:
        return absl::UnavailableError("the server is shutting down");
    }
    return absl::InternalError("unknown reason");
  }

 private:
  std::atomic<StopReason> reason_{StopReason::kNone};
  std::stop_source source_;
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_STOP_CONTROL_H_

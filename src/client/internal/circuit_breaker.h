// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_CIRCUIT_BREAKER_H_
#define BLENDWIRE_CLIENT_INTERNAL_CIRCUIT_BREAKER_H_

#include <deque>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace blendwire::client {

// Stops what fails again and again: after `limit` failures within `window` it opens, for good.
class CircuitBreaker {
 public:
  CircuitBreaker(int limit, absl::Duration window);

  void RecordFailure(absl::Time when, std::string why);

  // FAILED_PRECONDITION with every failure that led to it, once open.
  absl::Status Check() const;

 private:
  struct Failure {
    absl::Time when;
    std::string why;
  };

  size_t limit_;
  absl::Duration window_;
  std::deque<Failure> failures_;
  bool open_ = false;
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_CIRCUIT_BREAKER_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_CLOCK_H_
#define BLENDWIRE_CLIENT_INTERNAL_CLOCK_H_

#include <functional>
#include <memory>

#include "absl/time/time.h"

namespace blendwire::client {

// Time as the retry loop sees it; tests put in one that they turn by hand.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual absl::Time Now() = 0;

  // Calls `action` exactly once: after `delay`, on another thread, or as soon as the returned
  // function is called. That one may be called at any time, also when `action` has already run.
  virtual std::function<void()> RunAfter(absl::Duration delay, std::function<void()> action) = 0;
};

// The real time, on gRPC's own timers and threads.
std::shared_ptr<Clock> SystemClock();

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_CLOCK_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_DEADLINE_H_
#define BLENDWIRE_SYSTEM_DEADLINE_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

#include "absl/time/time.h"

namespace blendwire::system {

// A time limit as the systems' own functions count it, by a clock that nobody sets.
class Deadline {
 public:
  explicit Deadline(absl::Duration timeout)
      : at_(timeout > absl::Hours(24 * 365)
                ? std::nullopt
                : std::optional(Clock::now() + absl::ToChronoNanoseconds(timeout))) {}

  bool passed() const { return at_.has_value() && Clock::now() >= *at_; }

  // What is left, rounded up, and 24 days at the most; nothing where there is no limit.
  std::optional<int> Milliseconds() const {
    if (!at_.has_value()) return std::nullopt;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*at_ - Clock::now());
    return static_cast<int>(std::clamp<int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
  }

 private:
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> at_;
};

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_DEADLINE_H_

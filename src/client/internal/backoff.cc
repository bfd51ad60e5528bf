// SPDX-License-Identifier: Apache-2.0

#include "client/internal/backoff.h"

#include <algorithm>
#include <utility>

namespace blendwire::client {

Backoff::Backoff(const RetryPolicy& policy, Random random)
    : policy_(policy), random_(std::move(random)), base_(policy.initial_backoff) {}

absl::Duration Backoff::Next() {
  const absl::Duration base = std::min(base_, policy_.max_backoff);
  base_ = std::min(base * policy_.multiplier, policy_.max_backoff);
  return base * (1.0 - policy_.jitter * random_());
}

}  // namespace blendwire::client

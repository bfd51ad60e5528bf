// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_BACKOFF_H_
#define BLENDWIRE_CLIENT_INTERNAL_BACKOFF_H_

#include <functional>

#include "absl/time/time.h"
#include "client/options.h"

namespace blendwire::client {

// Uniform in [0,1); called from several threads at once.
using Random = std::function<double()>;

// The waits between the tries of one call; RetryPolicy has the formula.
class Backoff {
 public:
  Backoff(const RetryPolicy& policy, Random random);

  // Before the second try, the third, …
  absl::Duration Next();

 private:
  RetryPolicy policy_;
  Random random_;
  absl::Duration base_;
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_BACKOFF_H_

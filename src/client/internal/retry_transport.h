// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_RETRY_TRANSPORT_H_
#define BLENDWIRE_CLIENT_INTERNAL_RETRY_TRANSPORT_H_

#include <functional>
#include <memory>

#include "client/internal/backoff.h"
#include "client/internal/clock.h"
#include "client/internal/transport.h"
#include "client/options.h"

namespace blendwire::client {

// Tries again what ended with UNAVAILABLE and is retryable, until the policy or the call's deadline
// says stop; then the last try's status stands.
class RetryTransport : public Transport {
 public:
  RetryTransport(std::unique_ptr<Transport> inner, const RetryPolicy& policy,
                 std::shared_ptr<Clock> clock, Random random);

  std::function<void()> Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                              StatusFunction done) override;

 private:
  std::unique_ptr<Transport> inner_;
  RetryPolicy policy_;
  std::shared_ptr<Clock> clock_;
  Random random_;
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_RETRY_TRANSPORT_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_POOL_TRANSPORT_H_
#define BLENDWIRE_CLIENT_INTERNAL_POOL_TRANSPORT_H_

#include <functional>
#include <memory>
#include <vector>

#include "client/internal/transport.h"

namespace blendwire::client {

// Gives each try to the member with the fewest tries running, the first of them when several have
// as few: calls that do not overlap share one warm connection.
class PoolTransport : public Transport {
 public:
  // At least one member.
  explicit PoolTransport(std::vector<std::unique_ptr<Transport>> members);

  std::function<void()> Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                              StatusFunction done) override;

 private:
  struct Loads;

  std::vector<std::unique_ptr<Transport>> members_;
  std::shared_ptr<Loads> loads_;
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_POOL_TRANSPORT_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_METADATA_TRANSPORT_H_
#define BLENDWIRE_CLIENT_INTERNAL_METADATA_TRANSPORT_H_

#include <functional>
#include <memory>
#include <string>

#include "client/internal/transport.h"

namespace blendwire::client {

// Adds what every call carries: the token (`authorization: Bearer …`) and the request id
// (`x-request-id`), the same for all tries of a call.
class MetadataTransport : public Transport {
 public:
  MetadataTransport(std::unique_ptr<Transport> inner, std::string token);

  std::function<void()> Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                              StatusFunction done) override;

 private:
  std::unique_ptr<Transport> inner_;
  std::string token_;
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_METADATA_TRANSPORT_H_

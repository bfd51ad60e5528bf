// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_GRPC_CONNECTION_H_
#define BLENDWIRE_CLIENT_INTERNAL_GRPC_CONNECTION_H_

#include <memory>

#include "absl/status/statusor.h"
#include "client/connection.h"
#include "client/internal/backoff.h"
#include "client/internal/clock.h"

namespace blendwire::client {

// MakeConnection() with a clock and a source of randomness of the caller's choice.
absl::StatusOr<std::shared_ptr<Connection>> MakeConnectionWith(const ClientOptions& options,
                                                               std::shared_ptr<Clock> clock,
                                                               Random random);

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_GRPC_CONNECTION_H_

// SPDX-License-Identifier: Apache-2.0
//
// The way of a call from the connection to the wire, as a chain of decorators with one job each:
//
//   RetryTransport -> MetadataTransport -> PoolTransport -> a channel transport for each connection
//
// None of them knows which method is called, nor (but for the last) anything about gRPC.

#ifndef BLENDWIRE_CLIENT_INTERNAL_TRANSPORT_H_
#define BLENDWIRE_CLIENT_INTERNAL_TRANSPORT_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/options.h"

namespace grpc {
class ClientContext;
}

namespace blendwire::client {

struct Channel;  // a gRPC channel with its stub: grpc_rpc.h

using StatusFunction = std::function<void(absl::Status)>;

// One call of one method, with its request and its response. It can be tried several times, one
// after the other.
class Rpc {
 public:
  virtual ~Rpc() = default;

  // Whether a try that ended with UNAVAILABLE may be followed by another.
  virtual bool retryable() const = 0;

  // After a try that failed, and before the outcome is told: whether the request was changed so
  // that another try, at once, can end differently. At most once for a call.
  virtual bool Amend(const absl::Status& status) = 0;

  // Starts one try; `done` is called once, on any thread. `channel` and `context` outlive that.
  virtual void Start(Channel& channel, grpc::ClientContext& context, StatusFunction done) = 0;
};

// What is particular to one try.
struct Attempt {
  absl::Time deadline = absl::InfiniteFuture();
  std::string request_id;
  int max_attempts = 0;  // of the whole call; 0: as the policy says
  bool idle = false;     // lasts without work: its connection is as good as free
  std::vector<std::pair<std::string, std::string>> metadata;
};

// Must outlive the calls that were started on it, and must not be destroyed on one of gRPC's
// threads: the last channel of a process waits for those threads to end.
class Transport {
 public:
  virtual ~Transport() = default;

  // Calls `done` once, on any thread, maybe before this returns; by then nothing of the try refers
  // to the transport any more. The returned function cancels; it may be called at any time, any
  // number of times, also after `done` and on any thread.
  virtual std::function<void()> Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                                      StatusFunction done) = 0;
};

// One connection of its own to `target` (a gRPC target: LocalTarget()), opened by the first call.
std::unique_ptr<Transport> MakeChannelTransport(const std::string& target,
                                                const ClientOptions& options);

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_TRANSPORT_H_

// SPDX-License-Identifier: Apache-2.0
//
// Everything a client can be told, in one type.
//
//   blendwire::ClientOptions options;
//   options.address = "127.0.0.1:50051";
//   options.timeout = absl::Seconds(10);
//   auto client = blendwire::Client::Create(options);

#ifndef BLENDWIRE_CLIENT_OPTIONS_H_
#define BLENDWIRE_CLIENT_OPTIONS_H_

#include <cstddef>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/cancellation.h"

namespace blendwire {

// When a call is tried again. Only UNAVAILABLE is: the server could not be reached, went away, or
// is shutting down. A call that changes the server's state (UnloadModel, Stats with a reset) is not
// repeated, since a first try whose answer was lost may have done its work.
//
// The wait before try n+1 is min(initial_backoff * multiplier^(n-1), max_backoff) * (1 - jitter *
// u) with u uniform in [0,1): many clients that lost the same server do not return in step.
struct RetryPolicy {
  int max_attempts = 6;                               // 1 switches retries off
  absl::Duration max_total_time = absl::Seconds(10);  // no wait may end later than this
  absl::Duration initial_backoff = absl::Milliseconds(100);
  absl::Duration max_backoff = absl::Seconds(2);
  double multiplier = 2.0;  // at least 1
  double jitter = 0.5;      // 0 to 1
};

// HTTP/2 pings that find a connection whose other end hangs. The specification's values.
struct KeepaliveOptions {
  absl::Duration time = absl::Seconds(30);
  absl::Duration timeout = absl::Seconds(5);
  bool without_calls = true;
};

struct ClientOptions {
  // Where the server listens: "127.0.0.1:50051", "localhost:50051" (the same), "[::1]:50051" or
  // "unix:/path/to/socket". Anything that is not this machine is refused.
  std::string address = "127.0.0.1:50051";

  // Sent as `authorization: Bearer <token>` with every call; empty: none is sent.
  std::string token;

  // Deadline of a call, retries included. A batch gets this much for each of its items.
  absl::Duration timeout = absl::Seconds(30);

  // Separate connections. A call takes the one with the fewest calls on it, so a connection beyond
  // the first is opened only when calls overlap.
  int channels = 3;

  RetryPolicy retry;

  // Limit for one message, both ways. 52 shapes x 10,000 vertices are 6.2 MB.
  int max_message_bytes = 100 * 1024 * 1024;

  // Memory for meshes that the server has been sent. While it keeps them, too, a call for one of
  // them sends its name instead. 0: each call sends its mesh.
  size_t known_mesh_bytes = size_t{32} << 20;

  // Whether the server may write big answers to memory that it shares with this client, instead of
  // sending them; it must have been told so, too (--shared-memory), as managed servers are.
  bool shared_memory = true;

  KeepaliveOptions keepalive;

  // INVALID_ARGUMENT naming the field, its value and what would be right.
  absl::Status Validate() const;
};

// What can differ from call to call.
struct CallOptions {
  // Replaces ClientOptions::timeout for this call; not multiplied for a batch.
  std::optional<absl::Duration> timeout;

  // Replaces RetryPolicy::max_attempts for this call: 1 asks whether a server is there now.
  std::optional<int> max_attempts;

  // Cancel() on it, or on any copy of it, ends the call with CANCELLED.
  Cancellation cancellation;

  // Sent as `x-request-id`, so that a call can be found in the server's log; printable ASCII.
  // Empty: the client makes one.
  std::string request_id;
};

}  // namespace blendwire

#endif  // BLENDWIRE_CLIENT_OPTIONS_H_

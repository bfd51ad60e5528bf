// SPDX-License-Identifier: Apache-2.0
//
// From the C structs of a request to the client's own types, everything checked on the way.

#ifndef BLENDWIRE_CAPI_REQUESTS_H_
#define BLENDWIRE_CAPI_REQUESTS_H_

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "capi/blendwire.h"
#include "client/cancellation.h"
#include "client/managed_server.h"
#include "client/options.h"
#include "client/types.h"

namespace blendwire::capi {

// Where the caller wants the offsets of one prediction.
struct Output {
  float* data = nullptr;
  size_t vertex_count = 0;
  size_t stride = 0;  // bytes

  // Then the client writes here by itself, otherwise Scatter() is due.
  bool packed() const;
  absl::Span<float> span() const { return {data, vertex_count * 3}; }
  // [vertex_count,3] flattened.
  void Scatter(absl::Span<const float> offsets) const;
};

// A prediction. The request's mesh points to the caller's vertices, or to `packed_vertices` if
// those are not packed: both must stay until the call has started.
struct PredictCall {
  PredictRequest request;
  Output output;
  std::vector<float> packed_vertices;
};

struct BatchCall {
  BatchRequest request;
  std::vector<Output> outputs;
  std::deque<std::vector<float>> packed_vertices;
};

absl::StatusOr<PredictCall> ToPredictCall(const blendwire_predict_request* given);
absl::StatusOr<BatchCall> ToBatchCall(const blendwire_batch_request* given);
absl::StatusOr<LoadModelRequest> ToLoadModelRequest(const blendwire_load_request* given);
// Null pointers give the defaults.
absl::StatusOr<ClientOptions> ToClientOptions(const blendwire_client_options* given);
absl::StatusOr<CallOptions> ToCallOptions(const blendwire_call_options* given,
                                          const Cancellation& cancellation);
absl::StatusOr<ManagedServerOptions> ToManagedServerOptions(
    const blendwire_server_options* given);

}  // namespace blendwire::capi

#endif  // BLENDWIRE_CAPI_REQUESTS_H_

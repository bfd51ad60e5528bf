// SPDX-License-Identifier: Apache-2.0
//
// Between the client's structs and the contract's messages. A mesh is copied once on its way into a
// message, offsets once on their way out.

#ifndef BLENDWIRE_CLIENT_INTERNAL_ENCODING_H_
#define BLENDWIRE_CLIENT_INTERNAL_ENCODING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/types.h"

namespace vrchat::blendshape::inference {
class BatchPredictionRequest;
class HealthCheckResponse;
class ListModelsResponse;
class LoadModelRequest;
class PerformanceStatsResponse;
class VertexOffsetRequest;
class VertexOffsetResponse;
}  // namespace vrchat::blendshape::inference

namespace blendwire::client {

// RESOURCE_EXHAUSTED if the request cannot fit into `max_bytes`, found before anything is copied.
// With a `mesh_id` that is sent in the place of request.mesh.
absl::Status Encode(const PredictRequest& request, const std::string& mesh_id, int max_bytes,
                    vrchat::blendshape::inference::VertexOffsetRequest& message);
absl::Status Encode(const BatchRequest& request, const std::string& mesh_id, int max_bytes,
                    vrchat::blendshape::inference::BatchPredictionRequest& message);
void Encode(const LoadModelRequest& request,
            vrchat::blendshape::inference::LoadModelRequest& message);

// Where a prediction's offsets belong, and how many floats there must be.
struct Destination {
  absl::Span<float> output;  // empty: into Prediction::offsets
  size_t size = 0;
};

// INVALID_ARGUMENT if an output buffer has not exactly as many floats as its mesh has coordinates.
absl::StatusOr<Destination> DestinationFor(const PredictRequest& request);
absl::StatusOr<std::vector<Destination>> DestinationsFor(const BatchRequest& request);

// A response with success=false becomes the error it stands for; one with the wrong number of
// offsets INTERNAL. `shared` is where the offsets are if the response says that they are shared.
absl::StatusOr<Prediction> Decode(
    const vrchat::blendshape::inference::VertexOffsetResponse& message,
    const Destination& destination, absl::Span<const float> shared);

// A response's own success and error_message fields: UNKNOWN with that message if it failed while
// the call did not. A server of the specification answers so.
absl::Status ResponseStatus(bool success, const std::string& error_message, int32_t code = 0);

ServerHealth Decode(const vrchat::blendshape::inference::HealthCheckResponse& message);
ServerStats Decode(const vrchat::blendshape::inference::PerformanceStatsResponse& message);
std::vector<ModelInfo> Decode(const vrchat::blendshape::inference::ListModelsResponse& message);

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_ENCODING_H_

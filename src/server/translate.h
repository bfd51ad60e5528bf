// SPDX-License-Identifier: Apache-2.0
//
// Between the contract's messages and the terms of predict/ and expression/.

#ifndef BLENDWIRE_SERVER_TRANSLATE_H_
#define BLENDWIRE_SERVER_TRANSLATE_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "expression/condition.h"
#include "grpcpp/support/status.h"
#include "predict/options.h"
#include "predict/predict.h"
#include "server/histogram.h"
#include "vrchat/blendshape/inference/inference.pb.h"

namespace blendwire::server {

namespace pb = ::vrchat::blendshape::inference;

// The codes are the same numbers; a message goes along.
grpc::Status ToGrpc(const absl::Status& status);

// Refers to `condition`'s memory. INVALID_ARGUMENT for a type that the contract does not have.
absl::StatusOr<expression::ConditionSpec> ToConditionSpec(const pb::ExpressionCondition& condition);

predict::Options ToOptions(const pb::PredictionOptions& options);

absl::Span<const float> VerticesOf(const pb::VertexOffsetRequest& request);
absl::Span<const float> VerticesOf(const pb::BatchPredictionRequest& request);
absl::Span<const uint32_t> TrianglesOf(const pb::MeshTopology& topology);

// Milliseconds as the contract's floats have them.
float Millis(absl::Duration duration);

void FillLatency(const Histogram& histogram, pb::LatencySummary& summary);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_TRANSLATE_H_

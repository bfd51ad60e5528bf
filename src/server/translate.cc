// SPDX-License-Identifier: Apache-2.0

#include "server/translate.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace blendwire::server {
namespace {

template <typename Repeated>
auto SpanOf(const Repeated& field) {
  return absl::MakeConstSpan(field.data(), static_cast<size_t>(field.size()));
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

absl::StatusOr<expression::ConditionSpec> ToConditionSpec(
    const pb::ExpressionCondition& condition) {
  expression::ConditionSpec spec;
  switch (condition.type()) {
    case pb::ExpressionCondition::VISEME:
      spec.kind = expression::Kind::kViseme;
      break;
    case pb::ExpressionCondition::EMOTION:
      spec.kind = expression::Kind::kEmotion;
      break;
    case pb::ExpressionCondition::CUSTOM:
      spec.kind = expression::Kind::kCustom;
      break;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat("condition.type is ", static_cast<int>(condition.type()),
                       ", but must be VISEME (0), EMOTION (1) or CUSTOM (2)"));
  }
  spec.name = condition.name();
  spec.intensity = condition.intensity();
  spec.features = SpanOf(condition.features());
  spec.parameters.assign(condition.parameters().begin(), condition.parameters().end());
  // A map has no order, but sums and error messages should not depend on it.
  std::sort(spec.parameters.begin(), spec.parameters.end());
  return spec;
}

predict::Options ToOptions(const pb::PredictionOptions& options) {
  return {.apply_smoothing = options.apply_smoothing(),
          .smoothing_iterations = options.smoothing_iterations(),
          .clamp_extreme_values = options.clamp_extreme_values(),
          .max_displacement = options.max_displacement(),
          .timeout_seconds = options.timeout_seconds()};
}

absl::Span<const float> VerticesOf(const pb::VertexOffsetRequest& request) {
  return SpanOf(request.vertices());
}

absl::Span<const float> VerticesOf(const pb::BatchPredictionRequest& request) {
  return SpanOf(request.vertices());
}

absl::Span<const uint32_t> TrianglesOf(const pb::MeshTopology& topology) {
  return SpanOf(topology.triangles());
}

float Millis(absl::Duration duration) {
  return static_cast<float>(absl::ToDoubleMilliseconds(duration));
}

void FillLatency(const Histogram& histogram, pb::LatencySummary& summary) {
  summary.set_count(histogram.count());
  summary.set_mean_ms(Millis(histogram.mean()));
  summary.set_p50_ms(Millis(histogram.Quantile(0.50)));
  summary.set_p95_ms(Millis(histogram.Quantile(0.95)));
  summary.set_p99_ms(Millis(histogram.Quantile(0.99)));
  summary.set_max_ms(Millis(histogram.max()));
}

}  // namespace blendwire::server

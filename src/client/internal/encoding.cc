// SPDX-License-Identifier: Apache-2.0

#include "client/internal/encoding.h"

#include <algorithm>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "vrchat/blendshape/inference/inference.pb.h"

namespace blendwire::client {
namespace {

namespace contract = ::vrchat::blendshape::inference;

int32_t SaturatedInt(size_t value) {
  constexpr size_t kMax = static_cast<size_t>(std::numeric_limits<int32_t>::max());
  return static_cast<int32_t>(std::min(value, kMax));
}

// The least that a mesh takes on the wire: four bytes for a coordinate, one for an index.
size_t LeastBytes(const MeshView& mesh) {
  return mesh.vertices.size() * sizeof(float) + mesh.triangles.size();
}

absl::Status CheckSize(size_t least_bytes, int max_bytes) {
  if (least_bytes <= static_cast<size_t>(max_bytes)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("the request takes at least ", least_bytes,
                                                   " bytes, but max_message_bytes is ", max_bytes));
}

template <typename Message>
void EncodeMesh(const MeshView& mesh, const std::string& mesh_id, Message& message) {
  if (!mesh_id.empty()) {
    message.set_mesh_id(mesh_id);
    message.set_vertex_count(SaturatedInt(mesh.vertex_count()));
    return;
  }
  if (!mesh.vertices.empty()) {
    message.mutable_vertices()->Add(mesh.vertices.begin(), mesh.vertices.end());
  }
  message.set_vertex_count(SaturatedInt(mesh.vertex_count()));
  if (!mesh.triangles.empty()) {
    message.mutable_topology()->mutable_triangles()->Add(mesh.triangles.begin(),
                                                         mesh.triangles.end());
  }
}

contract::ExpressionCondition::ExpressionType EncodeKind(ExpressionKind kind) {
  switch (kind) {
    case ExpressionKind::kViseme:
      return contract::ExpressionCondition::VISEME;
    case ExpressionKind::kEmotion:
      return contract::ExpressionCondition::EMOTION;
    case ExpressionKind::kCustom:
      break;
  }
  return contract::ExpressionCondition::CUSTOM;
}

void EncodeExpression(const Expression& expression, contract::ExpressionCondition& message) {
  message.set_type(EncodeKind(expression.kind));
  message.set_name(expression.name);
  message.set_intensity(expression.intensity);
  message.mutable_features()->Add(expression.features.begin(), expression.features.end());
  for (const auto& [name, weight] : expression.parameters) {
    (*message.mutable_parameters())[name] = weight;
  }
}

void EncodeOptions(const PredictionOptions& options, contract::PredictionOptions& message) {
  message.set_apply_smoothing(options.apply_smoothing);
  message.set_smoothing_iterations(options.smoothing_iterations);
  message.set_max_displacement(options.max_displacement);
  message.set_clamp_extreme_values(options.clamp_extreme_values);
  message.set_timeout_seconds(options.timeout_seconds);
}

LatencySummary Decode(const contract::LatencySummary& message) {
  return {message.count(),  message.mean_ms(), message.p50_ms(),
          message.p95_ms(), message.p99_ms(),  message.max_ms()};
}

PredictionMetadata Decode(const contract::PredictionMetadata& message) {
  PredictionMetadata metadata;
  metadata.queue_time_ms = message.queue_time_ms();
  metadata.preprocessing_time_ms = message.preprocessing_time_ms();
  metadata.inference_time_ms = message.inference_time_ms();
  metadata.postprocessing_time_ms = message.postprocessing_time_ms();
  metadata.vertices_processed = message.vertices_processed();
  metadata.model_name = message.model_name();
  metadata.model_version = message.model_version();
  metadata.execution_provider = message.execution_provider();
  const contract::QualityMetrics& quality = message.quality();
  metadata.quality = {quality.avg_displacement(), quality.max_displacement(),
                      quality.extreme_vertex_count(), quality.smoothness_score()};
  return metadata;
}

absl::StatusOr<Destination> CheckDestination(const MeshView& mesh, absl::Span<float> output,
                                             absl::string_view field) {
  if (!output.empty() && output.size() != mesh.vertices.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, " has room for ", output.size(),
                     " floats, but must have as many as vertices: ", mesh.vertices.size()));
  }
  return Destination{output, mesh.vertices.size()};
}

}  // namespace

absl::Status Encode(const PredictRequest& request, const std::string& mesh_id, int max_bytes,
                    contract::VertexOffsetRequest& message) {
  if (auto s = CheckSize(LeastBytes(request.mesh), max_bytes); !s.ok()) return s;
  EncodeMesh(request.mesh, mesh_id, message);
  EncodeExpression(request.expression, *message.mutable_condition());
  EncodeOptions(request.options, *message.mutable_options());
  message.set_model_name(request.model);
  return absl::OkStatus();
}

absl::Status Encode(const BatchRequest& request, const std::string& mesh_id, int max_bytes,
                    contract::BatchPredictionRequest& message) {
  size_t least = LeastBytes(request.mesh);
  for (const BatchItem& item : request.items) {
    if (item.mesh.has_value()) least += LeastBytes(*item.mesh);
  }
  if (auto s = CheckSize(least, max_bytes); !s.ok()) return s;
  EncodeMesh(request.mesh, mesh_id, message);
  message.set_max_parallel_requests(request.max_parallel);
  message.mutable_requests()->Reserve(SaturatedInt(request.items.size()));
  for (const BatchItem& item : request.items) {
    contract::VertexOffsetRequest& encoded = *message.add_requests();
    if (item.mesh.has_value()) EncodeMesh(*item.mesh, {}, encoded);
    EncodeExpression(item.expression, *encoded.mutable_condition());
    EncodeOptions(item.options, *encoded.mutable_options());
    encoded.set_model_name(item.model);
  }
  return absl::OkStatus();
}

void Encode(const LoadModelRequest& request, contract::LoadModelRequest& message) {
  message.set_model_path(request.path);
  message.set_model_name(request.name);
  message.mutable_options()->insert(request.options.begin(), request.options.end());
}

absl::StatusOr<Destination> DestinationFor(const PredictRequest& request) {
  return CheckDestination(request.mesh, request.output, "output");
}

absl::StatusOr<std::vector<Destination>> DestinationsFor(const BatchRequest& request) {
  std::vector<Destination> destinations;
  destinations.reserve(request.items.size());
  for (size_t i = 0; i < request.items.size(); ++i) {
    const BatchItem& item = request.items[i];
    auto destination = CheckDestination(item.mesh.value_or(request.mesh), item.output,
                                        absl::StrCat("items[", i, "].output"));
    if (!destination.ok()) return destination.status();
    destinations.push_back(*destination);
  }
  return destinations;
}

absl::Status ResponseStatus(bool success, const std::string& error_message, int32_t code) {
  if (success) return absl::OkStatus();
  // absl maps a number that is no canonical code to UNKNOWN.
  return absl::Status(
      code == 0 ? absl::StatusCode::kUnknown : static_cast<absl::StatusCode>(code),
      error_message.empty() ? "the server reported a failure without a message" : error_message);
}

absl::StatusOr<Prediction> Decode(const contract::VertexOffsetResponse& message,
                                  const Destination& destination, absl::Span<const float> shared) {
  if (auto s = ResponseStatus(message.success(), message.error_message(), message.status_code());
      !s.ok()) {
    return s;
  }
  const absl::Span<const float> sent(message.offsets().data(),
                                     static_cast<size_t>(message.offsets_size()));
  const absl::Span<const float> offsets = message.offsets_are_shared() ? shared : sent;
  if (offsets.size() != destination.size) {
    return absl::InternalError(absl::StrCat("the server answered with ", offsets.size(),
                                            " offset coordinates for a mesh of ",
                                            destination.size));
  }
  Prediction prediction;
  prediction.metadata = Decode(message.metadata());
  if (destination.output.empty()) {
    prediction.offsets.assign(offsets.begin(), offsets.end());
  } else {
    std::copy(offsets.begin(), offsets.end(), destination.output.begin());
  }
  return prediction;
}

ServerHealth Decode(const contract::HealthCheckResponse& message) {
  ServerHealth health;
  switch (message.status()) {
    case contract::HealthCheckResponse::SERVING:
      health.status = ServingStatus::kServing;
      break;
    case contract::HealthCheckResponse::NOT_SERVING:
      health.status = ServingStatus::kNotServing;
      break;
    case contract::HealthCheckResponse::SERVICE_UNKNOWN:
      health.status = ServingStatus::kServiceUnknown;
      break;
    default:
      break;
  }
  health.message = message.message();
  const contract::ServerInfo& info = message.server_info();
  health.server = {info.version(), info.model_version(), info.gpu_available(), info.device_info(),
                   info.max_concurrent_requests()};
  return health;
}

ServerStats Decode(const contract::PerformanceStatsResponse& message) {
  ServerStats stats;
  stats.total_requests = message.total_requests();
  stats.successful_requests = message.successful_requests();
  stats.failed_requests = message.failed_requests();
  stats.rejected_requests = message.rejected_requests();
  stats.cancelled_requests = message.cancelled_requests();
  stats.deadline_exceeded_requests = message.deadline_exceeded_requests();
  stats.in_flight_requests = message.in_flight_requests();
  stats.queued_requests = message.queued_requests();
  stats.avg_inference_time_ms = message.avg_inference_time_ms();
  stats.max_inference_time_ms = message.max_inference_time_ms();
  stats.min_inference_time_ms = message.min_inference_time_ms();
  stats.uptime_seconds = message.uptime_seconds();
  stats.total_time = Decode(message.total_time());
  stats.queue_time = Decode(message.queue_time());
  stats.preprocessing_time = Decode(message.preprocessing_time());
  stats.inference_time = Decode(message.inference_time());
  stats.postprocessing_time = Decode(message.postprocessing_time());
  const contract::ResourceUsage& usage = message.resource_usage();
  stats.resources = {usage.cpu_usage_percent(), usage.memory_usage_mb(),
                     usage.gpu_memory_usage_mb(), usage.gpu_utilization_percent()};
  for (const contract::ModelStats& model : message.models()) {
    stats.models.push_back({model.model_name(), model.successful_requests(),
                            model.failed_requests(), Decode(model.inference_time())});
  }
  return stats;
}

std::vector<ModelInfo> Decode(const contract::ListModelsResponse& message) {
  std::vector<ModelInfo> models;
  models.reserve(static_cast<size_t>(message.models_size()));
  for (const contract::ModelInfo& info : message.models()) {
    models.push_back({info.name(),
                      info.version(),
                      info.title(),
                      info.execution_provider(),
                      info.condition_size(),
                      {info.condition_slots().begin(), info.condition_slots().end()},
                      info.takes_normals(),
                      info.max_batch(),
                      {info.expressions().begin(), info.expressions().end()},
                      info.sha256()});
  }
  return models;
}

}  // namespace blendwire::client

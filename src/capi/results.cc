// SPDX-License-Identifier: Apache-2.0

#include "capi/results.h"

#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "capi/error.h"
#include "capi/structs.h"

namespace blendwire::capi {
namespace {

// For the fixed arrays of the API's structs.
template <size_t kSize>
void Copy(const std::string& text, char (&array)[kSize]) {
  CopyText(text, array, kSize);
}

blendwire_latency ToLatency(const LatencySummary& summary) {
  return {summary.count,  summary.mean_ms, summary.p50_ms,
          summary.p95_ms, summary.p99_ms,  summary.max_ms};
}

blendwire_prediction_info ToInfo(const PredictionMetadata& metadata) {
  blendwire_prediction_info info = {};
  info.code = BLENDWIRE_OK;
  info.queue_time_ms = metadata.queue_time_ms;
  info.preprocessing_time_ms = metadata.preprocessing_time_ms;
  info.inference_time_ms = metadata.inference_time_ms;
  info.postprocessing_time_ms = metadata.postprocessing_time_ms;
  info.vertices_processed = metadata.vertices_processed;
  info.extreme_vertices = metadata.quality.extreme_vertices;
  info.mean_displacement = metadata.quality.mean_displacement;
  info.max_displacement = metadata.quality.max_displacement;
  info.smoothness = metadata.quality.smoothness;
  Copy(metadata.model_name, info.model_name);
  Copy(metadata.model_version, info.model_version);
  Copy(metadata.execution_provider, info.execution_provider);
  return info;
}

absl::Status CheckIndex(size_t index, size_t count, absl::string_view what) {
  if (index < count) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("index is ", index, ", but the job has ", count, " ", what));
}

}  // namespace

absl::Status WriteHealth(const Job& job, blendwire_health_info* target) {
  const auto found = job.Result<ServerHealth>("a health check");
  if (!found.ok() || target == nullptr) return found.status();
  const ServerHealth& health = **found;
  blendwire_health_info info = {};
  switch (health.status) {
    case ServingStatus::kUnknown:
      info.status = BLENDWIRE_SERVING_UNKNOWN;
      break;
    case ServingStatus::kServing:
      info.status = BLENDWIRE_SERVING;
      break;
    case ServingStatus::kNotServing:
      info.status = BLENDWIRE_NOT_SERVING;
      break;
    case ServingStatus::kServiceUnknown:
      info.status = BLENDWIRE_SERVICE_UNKNOWN;
      break;
  }
  info.gpu_available = health.server.gpu_available ? 1 : 0;
  info.max_concurrent_requests = health.server.max_concurrent_requests;
  Copy(health.message, info.message);
  Copy(health.server.version, info.version);
  Copy(health.server.model_version, info.model_version);
  Copy(health.server.device_info, info.device_info);
  return WriteStruct(info, target, "health");
}

absl::Status WritePrediction(const Job& job, blendwire_prediction_info* target) {
  const auto found = job.Result<PredictionMetadata>("a prediction");
  if (!found.ok() || target == nullptr) return found.status();
  return WriteStruct(ToInfo(**found), target, "info");
}

absl::Status WriteStats(const Job& job, blendwire_stats* target) {
  const auto found = job.Result<ServerStats>("a request for statistics");
  if (!found.ok() || target == nullptr) return found.status();
  const ServerStats& stats = **found;
  blendwire_stats result = {};
  result.total_requests = stats.total_requests;
  result.successful_requests = stats.successful_requests;
  result.failed_requests = stats.failed_requests;
  result.rejected_requests = stats.rejected_requests;
  result.cancelled_requests = stats.cancelled_requests;
  result.deadline_exceeded_requests = stats.deadline_exceeded_requests;
  result.in_flight_requests = stats.in_flight_requests;
  result.queued_requests = stats.queued_requests;
  result.avg_inference_time_ms = stats.avg_inference_time_ms;
  result.max_inference_time_ms = stats.max_inference_time_ms;
  result.min_inference_time_ms = stats.min_inference_time_ms;
  result.uptime_seconds = stats.uptime_seconds;
  result.total_time = ToLatency(stats.total_time);
  result.queue_time = ToLatency(stats.queue_time);
  result.preprocessing_time = ToLatency(stats.preprocessing_time);
  result.inference_time = ToLatency(stats.inference_time);
  result.postprocessing_time = ToLatency(stats.postprocessing_time);
  result.cpu_usage_percent = stats.resources.cpu_usage_percent;
  result.memory_usage_mb = stats.resources.memory_usage_mb;
  result.gpu_memory_usage_mb = stats.resources.gpu_memory_usage_mb;
  result.gpu_utilization_percent = stats.resources.gpu_utilization_percent;
  result.model_count = stats.models.size();
  return WriteStruct(result, target, "stats");
}

absl::Status WriteModelStats(const Job& job, size_t index, blendwire_model_stats* target) {
  const auto found = job.Result<ServerStats>("a request for statistics");
  if (!found.ok()) return found.status();
  if (auto s = CheckIndex(index, (*found)->models.size(), "models"); !s.ok()) return s;
  if (target == nullptr) return NullError("stats");
  const ModelStats& model = (*found)->models[index];
  blendwire_model_stats result = {};
  result.successful_requests = model.successful_requests;
  result.failed_requests = model.failed_requests;
  result.inference_time = ToLatency(model.inference_time);
  Copy(model.model_name, result.model_name);
  return WriteStruct(result, target, "stats");
}

absl::Status WriteLoadedVersion(const Job& job, char* version, size_t version_size) {
  const auto found = job.Result<LoadedModel>("the loading of a model");
  if (!found.ok()) return found.status();
  CopyText((*found)->version, version, version_size);
  return absl::OkStatus();
}

absl::Status WriteModelInfo(const Job& job, size_t index, blendwire_model_info* target) {
  const auto found = job.Result<ModelList>("a list of models");
  if (!found.ok()) return found.status();
  const ModelList& list = **found;
  if (auto s = CheckIndex(index, list.infos.size(), "models"); !s.ok()) return s;
  if (target == nullptr) return NullError("info");
  const ModelInfo& info = list.infos[index];
  blendwire_model_info result = {};
  result.name = info.name.c_str();
  result.version = info.version.c_str();
  result.title = info.title.c_str();
  result.execution_provider = info.execution_provider.c_str();
  result.sha256 = info.sha256.c_str();
  result.condition_size = info.condition_size;
  result.takes_normals = info.takes_normals ? 1 : 0;
  result.max_batch = info.max_batch;
  result.condition_slots = list.condition_slots[index].data();
  result.condition_slot_count = list.condition_slots[index].size();
  result.expressions = list.expressions[index].data();
  result.expression_count = list.expressions[index].size();
  return WriteStruct(result, target, "info");
}

absl::Status WriteItem(const Job& job, size_t index, blendwire_prediction_info* target) {
  if (auto s = CheckIndex(index, job.item_count(), "items"); !s.ok()) return s;
  if (target == nullptr) return absl::OkStatus();
  const std::optional<Job::ItemResult> item = job.Item(index);
  blendwire_prediction_info info = {};
  if (!item.has_value()) {
    info.code = BLENDWIRE_PENDING;
  } else if (item->ok()) {
    info = ToInfo(**item);
  } else {
    info.code = static_cast<blendwire_code>(item->status().code());
  }
  return WriteStruct(info, target, "info");
}

}  // namespace blendwire::capi

// SPDX-License-Identifier: Apache-2.0
//
// What goes into a call and what comes out of it, as plain structs: a program that uses the client
// needs neither protobuf nor gRPC headers.
//
// Coordinates everywhere: metres, right-handed, Z up, the face looks along -Y, so the avatar's own
// left is +X (Blender's convention).

#ifndef BLENDWIRE_CLIENT_TYPES_H_
#define BLENDWIRE_CLIENT_TYPES_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace blendwire {

// A mesh that the caller owns. Every call copies it into the request before it returns, so the
// memory may be changed or freed as soon as the call (also an asynchronous one) has returned.
struct MeshView {
  // [N,3] flattened: x1,y1,z1,x2,y2,z2,… in metres.
  absl::Span<const float> vertices;
  // [T,3] flattened vertex indices, counter-clockwise seen from outside. Optional, but without
  // them the server smooths over nearest neighbours, which glues touching lips together.
  absl::Span<const uint32_t> triangles;

  size_t vertex_count() const { return vertices.size() / 3; }
};

enum class ExpressionKind { kViseme, kEmotion, kCustom };

// What the face should do.
struct Expression {
  ExpressionKind kind = ExpressionKind::kViseme;
  // "aa", "vrc.v_aa", "Joy", …; for kCustom an ARKit unit such as "jawOpen", or free text.
  std::string name;
  // 0 to 1.
  float intensity = 1.0f;
  // kCustom only: the raw condition vector, instead of `parameters`.
  std::vector<float> features;
  // kCustom only: weights (0 to 1) of named ARKit units, e.g. {"jawOpen", 0.4f}.
  std::map<std::string, float> parameters;
};

// How the server finishes a prediction. The defaults are those of the specification's client.
struct PredictionOptions {
  bool apply_smoothing = true;
  // Laplacian iterations; 0 means 2 when apply_smoothing is set.
  int smoothing_iterations = 2;
  // Metres; offsets longer than this are shortened to it when clamp_extreme_values is set.
  float max_displacement = 0.08f;
  bool clamp_extreme_values = true;
  // Time the server gives this prediction, queueing included. 0: only the call's own deadline.
  int timeout_seconds = 30;
};

struct PredictRequest {
  MeshView mesh;
  Expression expression;
  PredictionOptions options;
  // Which loaded model; empty means "default".
  std::string model;
  // If not empty: where the offsets go, exactly as many floats as mesh.vertices. It must stay valid
  // until the call has completed, and Prediction::offsets is then left empty.
  absl::Span<float> output;
};

// One expression of a batch.
struct BatchItem {
  Expression expression;
  PredictionOptions options;
  std::string model;
  // Only for an item that does not use the batch's mesh.
  std::optional<MeshView> mesh;
  // As PredictRequest::output, for this item.
  absl::Span<float> output;
};

// Several expressions; the shared mesh travels once.
struct BatchRequest {
  MeshView mesh;
  std::vector<BatchItem> items;
  // How many items the server may run side by side; 0 means as many as it has workers.
  int max_parallel = 0;
};

struct QualityMetrics {
  float mean_displacement = 0.0f;  // metres
  float max_displacement = 0.0f;   // metres
  int extreme_vertices = 0;        // vertices displaced by more than 0.08 m
  float smoothness = 0.0f;         // 0 (noise) to 1 (locally constant)
};

// How a prediction was made. Times are the server's, in milliseconds.
struct PredictionMetadata {
  float queue_time_ms = 0.0f;
  float preprocessing_time_ms = 0.0f;
  float inference_time_ms = 0.0f;
  float postprocessing_time_ms = 0.0f;
  int vertices_processed = 0;
  std::string model_name;
  std::string model_version;
  std::string execution_provider;  // ONNX Runtime's name, e.g. "CPUExecutionProvider"
  QualityMetrics quality;
};

struct Prediction {
  // [N,3] flattened: dx1,dy1,dz1,… in metres, in the order of the request's vertices. Empty when
  // the request named an output buffer.
  std::vector<float> offsets;
  PredictionMetadata metadata;
};

struct BatchResult {
  // In the order of BatchRequest::items; an item that failed does not fail the others.
  std::vector<absl::StatusOr<Prediction>> items;
  // The server's time for the whole batch; 0 for PredictStream, which does not report it.
  float total_processing_time_ms = 0.0f;

  bool all_successful() const {
    return std::all_of(items.begin(), items.end(), [](const auto& item) { return item.ok(); });
  }
};

// One finished item of PredictStream. The reference is valid during the callback only.
struct BatchUpdate {
  size_t index = 0;      // position in BatchRequest::items
  size_t completed = 0;  // items finished so far, this one included
  size_t total = 0;
  const absl::StatusOr<Prediction>& result;
};

enum class ServingStatus { kUnknown, kServing, kNotServing, kServiceUnknown };

struct ServerInfo {
  std::string version;
  std::string model_version;  // of the model named "default"; empty when there is none
  bool gpu_available = false;
  std::string device_info;
  int max_concurrent_requests = 0;
};

struct ServerHealth {
  ServingStatus status = ServingStatus::kUnknown;
  std::string message;
  ServerInfo server;

  bool serving() const { return status == ServingStatus::kServing; }
};

// Percentiles of a time in milliseconds.
struct LatencySummary {
  int64_t count = 0;
  float mean_ms = 0.0f;
  float p50_ms = 0.0f;
  float p95_ms = 0.0f;
  float p99_ms = 0.0f;
  float max_ms = 0.0f;
};

struct ModelStats {
  std::string model_name;
  int64_t successful_requests = 0;
  int64_t failed_requests = 0;
  LatencySummary inference_time;
};

struct ResourceUsage {
  float cpu_usage_percent = 0.0f;        // 100 is one core
  float memory_usage_mb = 0.0f;          // MiB, resident
  float gpu_memory_usage_mb = 0.0f;      // MiB
  float gpu_utilization_percent = 0.0f;
};

// Counts and times since the server's start or the last reset. A batch counts each of its items.
struct ServerStats {
  int64_t total_requests = 0;
  int64_t successful_requests = 0;
  int64_t failed_requests = 0;
  int64_t rejected_requests = 0;
  int64_t cancelled_requests = 0;
  int64_t deadline_exceeded_requests = 0;
  int in_flight_requests = 0;
  int queued_requests = 0;
  float avg_inference_time_ms = 0.0f;
  float max_inference_time_ms = 0.0f;
  float min_inference_time_ms = 0.0f;
  float uptime_seconds = 0.0f;
  LatencySummary total_time;
  LatencySummary queue_time;
  LatencySummary preprocessing_time;
  LatencySummary inference_time;
  LatencySummary postprocessing_time;
  ResourceUsage resources;
  std::vector<ModelStats> models;
};

struct LoadModelRequest {
  std::string path;  // on the server's machine, inside one of its --model-root folders; UTF-8
  std::string name;  // empty means "default"
  std::map<std::string, std::string> options;  // "device", "threads", "warmup", "sha256"
};

struct LoadedModel {
  std::string version;
};

struct ModelInfo {
  std::string name;     // what PredictRequest::model asks for
  std::string version;
  std::string title;
  std::string execution_provider;
  int condition_size = 0;
  std::vector<std::string> condition_slots;  // empty: the standard layout
  bool takes_normals = false;
  int max_batch = 0;                     // expressions in one run; 0 is any number
  std::vector<std::string> expressions;  // names this model can be asked for
  std::string sha256;                    // hexadecimal
};

}  // namespace blendwire

#endif  // BLENDWIRE_CLIENT_TYPES_H_

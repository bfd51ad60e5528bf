// SPDX-License-Identifier: Apache-2.0

#include "capi/requests.h"

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "capi/error.h"
#include "capi/structs.h"
#include "system/files.h"

namespace blendwire::capi {
namespace {

constexpr size_t kPackedStride = 3 * sizeof(float);
// The contract counts floats in 32 bits.
constexpr size_t kMaxVertices = std::numeric_limits<int32_t>::max() / 3;

absl::Status CheckArray(const void* data, size_t count, absl::string_view field) {
  if (data != nullptr || count == 0) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is NULL, but must have ", count, " elements"));
}

absl::Status CheckCount(size_t count, absl::string_view field) {
  if (count <= kMaxVertices) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", count, ", but must be ", kMaxVertices, " at the most"));
}

absl::StatusOr<size_t> ToStride(size_t stride, absl::string_view field) {
  if (stride == 0) return kPackedStride;
  if (stride >= kPackedStride && stride % sizeof(float) == 0 && stride <= (1U << 20)) return stride;
  return absl::InvalidArgumentError(
      absl::StrCat(field, " is ", stride, ", but must be 0 or a multiple of 4 from 12 to 1048576"));
}

// The caller's vertices, or a packed copy of them in `packed`.
absl::StatusOr<MeshView> ToMesh(const blendwire_mesh* given, const std::string& field,
                                std::vector<float>& packed) {
  const absl::StatusOr<blendwire_mesh> mesh = ReadStruct(given, DefaultMesh(), field);
  if (!mesh.ok()) return mesh.status();
  if (auto s = CheckArray(mesh->vertices, mesh->vertex_count, field + ".vertices"); !s.ok()) {
    return s;
  }
  if (auto s = CheckArray(mesh->triangles, mesh->triangle_count, field + ".triangles"); !s.ok()) {
    return s;
  }
  if (auto s = CheckCount(mesh->vertex_count, field + ".vertex_count"); !s.ok()) return s;
  if (auto s = CheckCount(mesh->triangle_count, field + ".triangle_count"); !s.ok()) return s;
  const absl::StatusOr<size_t> stride = ToStride(mesh->vertex_stride, field + ".vertex_stride");
  if (!stride.ok()) return stride.status();
  MeshView view;
  view.triangles = {mesh->triangles, mesh->triangle_count * 3};
  if (*stride == kPackedStride) {
    view.vertices = {mesh->vertices, mesh->vertex_count * 3};
    return view;
  }
  packed.resize(mesh->vertex_count * 3);
  for (size_t i = 0; i < mesh->vertex_count; ++i) {
    std::memcpy(&packed[i * 3], mesh->vertices + i * (*stride / sizeof(float)), kPackedStride);
  }
  view.vertices = packed;
  return view;
}

absl::StatusOr<Expression> ToExpression(const blendwire_expression* given,
                                        const std::string& field) {
  const auto expression = ReadStruct(given, DefaultExpression(), field);
  if (!expression.ok()) return expression.status();
  Expression result;
  switch (expression->kind) {
    case BLENDWIRE_VISEME:
      result.kind = ExpressionKind::kViseme;
      break;
    case BLENDWIRE_EMOTION:
      result.kind = ExpressionKind::kEmotion;
      break;
    case BLENDWIRE_CUSTOM:
      result.kind = ExpressionKind::kCustom;
      break;
    default:
      return absl::InvalidArgumentError(
          absl::StrCat(field, ".kind is ", expression->kind,
                       ", but must be 0 (viseme), 1 (emotion) or 2 (custom)"));
  }
  if (auto s = CheckArray(expression->features, expression->feature_count, field + ".features");
      !s.ok()) {
    return s;
  }
  for (const auto& [array, name] :
       {std::pair(static_cast<const void*>(expression->parameter_names), ".parameter_names"),
        std::pair(static_cast<const void*>(expression->parameter_weights), ".parameter_weights")}) {
    if (auto s = CheckArray(array, expression->parameter_count, field + name); !s.ok()) return s;
  }
  result.name = Text(expression->name);
  result.intensity = expression->intensity;
  result.features.assign(expression->features, expression->features + expression->feature_count);
  for (size_t i = 0; i < expression->parameter_count; ++i) {
    if (expression->parameter_names[i] == nullptr) {
      return NullError(absl::StrCat(field, ".parameter_names[", i, "]"));
    }
    result.parameters[expression->parameter_names[i]] = expression->parameter_weights[i];
  }
  return result;
}

absl::StatusOr<PredictionOptions> ToPredictionOptions(const blendwire_prediction_options* given,
                                                      const std::string& field) {
  PredictionOptions result;
  if (given == nullptr) return result;
  const auto options = ReadStruct(given, DefaultPredictionOptions(), field);
  if (!options.ok()) return options.status();
  result.apply_smoothing = options->apply_smoothing != 0;
  result.smoothing_iterations = options->smoothing_iterations;
  result.max_displacement = options->max_displacement;
  result.clamp_extreme_values = options->clamp_extreme_values != 0;
  result.timeout_seconds = options->timeout_seconds;
  return result;
}

absl::StatusOr<Output> ToOutput(const blendwire_predict_request& request, size_t vertex_count,
                                const std::string& field) {
  if (request.offset_vertex_count != vertex_count) {
    return absl::InvalidArgumentError(
        absl::StrCat(field, ".offset_vertex_count is ", request.offset_vertex_count,
                     ", but the mesh has ", vertex_count, " vertices"));
  }
  if (auto s = CheckArray(request.offsets, vertex_count, field + ".offsets"); !s.ok()) return s;
  const absl::StatusOr<size_t> stride = ToStride(request.offset_stride, field + ".offset_stride");
  if (!stride.ok()) return stride.status();
  return Output{request.offsets, vertex_count, *stride};
}

absl::Duration Milliseconds(int64_t milliseconds) { return absl::Milliseconds(milliseconds); }

std::filesystem::path ToPath(const char* text) {
  return text == nullptr ? std::filesystem::path() : system::PathFromUtf8(text);
}

// One element of a batch; the caller's structs may be larger or smaller than this library's.
const blendwire_predict_request* ItemAt(const blendwire_batch_request& batch, size_t index) {
  return reinterpret_cast<const blendwire_predict_request*>(
      reinterpret_cast<const char*>(batch.items) + index * batch.items->struct_size);
}

absl::StatusOr<Output> AddItem(const blendwire_batch_request& batch, size_t index,
                               BatchCall& call) {
  const std::string field = absl::StrCat("items[", index, "]");
  const blendwire_predict_request* const given = ItemAt(batch, index);
  if (given->struct_size != batch.items->struct_size) {
    return absl::InvalidArgumentError(absl::StrCat(field, ".struct_size is ", given->struct_size,
                                                   ", but that of items[0] is ",
                                                   batch.items->struct_size));
  }
  const auto request = ReadStruct(given, DefaultPredictRequest(), field);
  if (!request.ok()) return request.status();
  BatchItem item;
  if (request->mesh != nullptr) {
    absl::StatusOr<MeshView> mesh =
        ToMesh(request->mesh, field + ".mesh", call.packed_vertices.emplace_back());
    if (!mesh.ok()) return mesh.status();
    item.mesh = *mesh;
  }
  auto expression = ToExpression(request->expression, field + ".expression");
  if (!expression.ok()) return expression.status();
  item.expression = *std::move(expression);
  const auto options = ToPredictionOptions(request->options, field + ".options");
  if (!options.ok()) return options.status();
  item.options = *options;
  item.model = Text(request->model);
  const MeshView& mesh = item.mesh.has_value() ? *item.mesh : call.request.mesh;
  absl::StatusOr<Output> output = ToOutput(*request, mesh.vertex_count(), field);
  if (!output.ok()) return output.status();
  if (output->packed()) item.output = output->span();
  call.request.items.push_back(std::move(item));
  return output;
}

}  // namespace

bool Output::packed() const { return stride == kPackedStride; }

void Output::Scatter(absl::Span<const float> offsets) const {
  for (size_t i = 0; i < vertex_count; ++i) {
    std::memcpy(data + i * (stride / sizeof(float)), &offsets[i * 3], kPackedStride);
  }
}

absl::StatusOr<PredictCall> ToPredictCall(const blendwire_predict_request* given) {
  const auto request = ReadStruct(given, DefaultPredictRequest(), "request");
  if (!request.ok()) return request.status();
  PredictCall call;
  const auto mesh = ToMesh(request->mesh, "request.mesh", call.packed_vertices);
  if (!mesh.ok()) return mesh.status();
  call.request.mesh = *mesh;
  auto expression = ToExpression(request->expression, "request.expression");
  if (!expression.ok()) return expression.status();
  call.request.expression = *std::move(expression);
  const auto options = ToPredictionOptions(request->options, "request.options");
  if (!options.ok()) return options.status();
  call.request.options = *options;
  call.request.model = Text(request->model);
  const auto output = ToOutput(*request, mesh->vertex_count(), "request");
  if (!output.ok()) return output.status();
  call.output = *output;
  if (output->packed()) call.request.output = output->span();
  return call;
}

absl::StatusOr<BatchCall> ToBatchCall(const blendwire_batch_request* given) {
  const auto batch = ReadStruct(given, DefaultBatchRequest(), "request");
  if (!batch.ok()) return batch.status();
  if (auto s = CheckArray(batch->items, batch->item_count, "request.items"); !s.ok()) return s;
  BatchCall call;
  call.request.max_parallel = batch->max_parallel;
  if (batch->mesh != nullptr) {
    const auto mesh = ToMesh(batch->mesh, "request.mesh", call.packed_vertices.emplace_back());
    if (!mesh.ok()) return mesh.status();
    call.request.mesh = *mesh;
  }
  for (size_t i = 0; i < batch->item_count; ++i) {
    const absl::StatusOr<Output> output = AddItem(*batch, i, call);
    if (!output.ok()) return output.status();
    call.outputs.push_back(*output);
  }
  return call;
}

absl::StatusOr<LoadModelRequest> ToLoadModelRequest(const blendwire_load_request* given) {
  const auto request = ReadStruct(given, DefaultLoadRequest(), "request");
  if (!request.ok()) return request.status();
  if (request->path == nullptr) return NullError("request.path");
  LoadModelRequest result;
  result.path = request->path;
  result.name = Text(request->name);
  for (const auto& [array, field] : {std::pair(request->option_names, "request.option_names"),
                                     std::pair(request->option_values, "request.option_values")}) {
    const auto* const start = static_cast<const void*>(array);
    if (auto s = CheckArray(start, request->option_count, field); !s.ok()) return s;
    for (size_t i = 0; i < request->option_count; ++i) {
      if (array[i] == nullptr) return NullError(absl::StrCat(field, "[", i, "]"));
    }
  }
  for (size_t i = 0; i < request->option_count; ++i) {
    result.options[request->option_names[i]] = request->option_values[i];
  }
  return result;
}

absl::StatusOr<ClientOptions> ToClientOptions(const blendwire_client_options* given) {
  ClientOptions result;
  if (given == nullptr) return result;
  const auto options = ReadStruct(given, DefaultClientOptions(), "options");
  if (!options.ok()) return options.status();
  if (options->address == nullptr) return NullError("options.address");
  result.address = options->address;
  result.token = Text(options->token);
  result.timeout = Milliseconds(options->timeout_ms);
  result.channels = options->channels;
  result.max_message_bytes = options->max_message_bytes;
  result.retry.max_attempts = options->retry_max_attempts;
  result.retry.max_total_time = Milliseconds(options->retry_max_total_ms);
  result.retry.initial_backoff = Milliseconds(options->retry_initial_backoff_ms);
  result.retry.max_backoff = Milliseconds(options->retry_max_backoff_ms);
  result.retry.multiplier = options->retry_multiplier;
  result.retry.jitter = options->retry_jitter;
  result.keepalive.time = Milliseconds(options->keepalive_time_ms);
  result.keepalive.timeout = Milliseconds(options->keepalive_timeout_ms);
  result.keepalive.without_calls = options->keepalive_without_calls != 0;
  return result;
}

absl::StatusOr<CallOptions> ToCallOptions(const blendwire_call_options* given,
                                          const Cancellation& cancellation) {
  CallOptions result;
  result.cancellation = cancellation;
  if (given == nullptr) return result;
  const auto options = ReadStruct(given, DefaultCallOptions(), "call");
  if (!options.ok()) return options.status();
  if (options->timeout_ms < 0) {
    return absl::InvalidArgumentError(absl::StrCat("call.timeout_ms is ", options->timeout_ms,
                                                   ", but must be 0 (the client's own) or more"));
  }
  if (options->timeout_ms > 0) result.timeout = Milliseconds(options->timeout_ms);
  result.request_id = Text(options->request_id);
  if (options->max_attempts != 0) result.max_attempts = options->max_attempts;
  return result;
}

absl::StatusOr<ManagedServerOptions> ToManagedServerOptions(const blendwire_server_options* given) {
  ManagedServerOptions result;
  if (given == nullptr) return result;
  const auto options = ReadStruct(given, DefaultServerOptions(), "options");
  if (!options.ok()) return options.status();
  for (const auto& [array, count, field] :
       {std::tuple(options->arguments, options->argument_count, "options.arguments"),
        std::tuple(options->environment, options->environment_count, "options.environment")}) {
    if (auto s = CheckArray(static_cast<const void*>(array), count, field); !s.ok()) return s;
    for (size_t i = 0; i < count; ++i) {
      if (array[i] == nullptr) return NullError(absl::StrCat(field, "[", i, "]"));
    }
  }
  result.program = ToPath(options->program);
  result.arguments.assign(options->arguments, options->arguments + options->argument_count);
  for (size_t i = 0; i < options->environment_count; ++i) {
    const std::string entry = options->environment[i];
    const size_t equals = entry.find('=');
    result.environment[entry.substr(0, equals)] =
        equals == std::string::npos ? std::nullopt
                                    : std::optional<std::string>(entry.substr(equals + 1));
  }
  result.log_file = ToPath(options->log_file);
  result.start_timeout = Milliseconds(options->start_timeout_ms);
  result.max_crashes = options->max_crashes;
  result.crash_window = Milliseconds(options->crash_window_ms);
  return result;
}

}  // namespace blendwire::capi

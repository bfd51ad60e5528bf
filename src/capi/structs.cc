// SPDX-License-Identifier: Apache-2.0
//
// The defaults are those of the C++ client, taken from there.

#include "capi/structs.h"

#include "absl/time/time.h"
#include "client/managed_server.h"
#include "client/options.h"
#include "client/types.h"

namespace blendwire::capi {

blendwire_client_options DefaultClientOptions() {
  static const ClientOptions* const defaults = new ClientOptions;
  blendwire_client_options result = {};
  result.address = defaults->address.c_str();
  result.token = "";
  result.timeout_ms = absl::ToInt64Milliseconds(defaults->timeout);
  result.channels = defaults->channels;
  result.max_message_bytes = defaults->max_message_bytes;
  result.retry_max_attempts = defaults->retry.max_attempts;
  result.keepalive_without_calls = defaults->keepalive.without_calls ? 1 : 0;
  result.retry_max_total_ms = absl::ToInt64Milliseconds(defaults->retry.max_total_time);
  result.retry_initial_backoff_ms = absl::ToInt64Milliseconds(defaults->retry.initial_backoff);
  result.retry_max_backoff_ms = absl::ToInt64Milliseconds(defaults->retry.max_backoff);
  result.retry_multiplier = defaults->retry.multiplier;
  result.retry_jitter = defaults->retry.jitter;
  result.keepalive_time_ms = absl::ToInt64Milliseconds(defaults->keepalive.time);
  result.keepalive_timeout_ms = absl::ToInt64Milliseconds(defaults->keepalive.timeout);
  return result;
}

blendwire_call_options DefaultCallOptions() { return {}; }

blendwire_mesh DefaultMesh() { return {}; }

blendwire_expression DefaultExpression() {
  blendwire_expression result = {};
  result.kind = BLENDWIRE_VISEME;
  result.intensity = Expression().intensity;
  return result;
}

blendwire_prediction_options DefaultPredictionOptions() {
  const PredictionOptions defaults;
  blendwire_prediction_options result = {};
  result.apply_smoothing = defaults.apply_smoothing ? 1 : 0;
  result.smoothing_iterations = defaults.smoothing_iterations;
  result.max_displacement = defaults.max_displacement;
  result.clamp_extreme_values = defaults.clamp_extreme_values ? 1 : 0;
  result.timeout_seconds = defaults.timeout_seconds;
  return result;
}

blendwire_predict_request DefaultPredictRequest() { return {}; }

blendwire_batch_request DefaultBatchRequest() { return {}; }

blendwire_load_request DefaultLoadRequest() { return {}; }

blendwire_server_options DefaultServerOptions() {
  const ManagedServerOptions defaults;
  blendwire_server_options result = {};
  result.start_timeout_ms = absl::ToInt64Milliseconds(defaults.start_timeout);
  result.max_crashes = defaults.max_crashes;
  result.crash_window_ms = absl::ToInt64Milliseconds(defaults.crash_window);
  return result;
}

void CopyText(absl::string_view text, char* buffer, size_t size) {
  if (buffer == nullptr || size == 0) return;
  size_t length = std::min(text.size(), size - 1);
  if (length < text.size()) {
    // 10xxxxxx continues a character.
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0) == 0x80) --length;
  }
  text.copy(buffer, length);
  buffer[length] = '\0';
}

}  // namespace blendwire::capi

using blendwire::capi::InitStruct;

void blendwire_client_options_init(blendwire_client_options* options, size_t struct_size) {
  InitStruct(options, struct_size, blendwire::capi::DefaultClientOptions());
}

void blendwire_call_options_init(blendwire_call_options* options, size_t struct_size) {
  InitStruct(options, struct_size, blendwire::capi::DefaultCallOptions());
}

void blendwire_mesh_init(blendwire_mesh* mesh, size_t struct_size) {
  InitStruct(mesh, struct_size, blendwire::capi::DefaultMesh());
}

void blendwire_expression_init(blendwire_expression* expression, size_t struct_size) {
  InitStruct(expression, struct_size, blendwire::capi::DefaultExpression());
}

void blendwire_prediction_options_init(blendwire_prediction_options* options, size_t struct_size) {
  InitStruct(options, struct_size, blendwire::capi::DefaultPredictionOptions());
}

void blendwire_predict_request_init(blendwire_predict_request* request, size_t struct_size) {
  InitStruct(request, struct_size, blendwire::capi::DefaultPredictRequest());
}

void blendwire_batch_request_init(blendwire_batch_request* request, size_t struct_size) {
  InitStruct(request, struct_size, blendwire::capi::DefaultBatchRequest());
}

void blendwire_load_request_init(blendwire_load_request* request, size_t struct_size) {
  InitStruct(request, struct_size, blendwire::capi::DefaultLoadRequest());
}

void blendwire_server_options_init(blendwire_server_options* options, size_t struct_size) {
  InitStruct(options, struct_size, blendwire::capi::DefaultServerOptions());
}

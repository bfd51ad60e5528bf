// SPDX-License-Identifier: Apache-2.0
//
// The structs of the C API as a caller of any age may fill them in: any sizes, counts and strides,
// null where something should be. Counts never exceed what is there: a C function cannot see that.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include "capi/blendwire.h"
#include "capi/requests.h"
#include "capi/structs.h"
#include "check.h"
#include "input.h"

namespace blendwire::capi {
namespace {

// Owns what the structs point to.
class Arena {
 public:
  explicit Arena(fuzz::Input& input) : input_(input) {}

  // The struct in a buffer of exactly as many bytes as it says it has, or null. Members that an old
  // program does not know are missing.
  template <typename Struct>
  const Struct* Store(Struct value) {
    if (input_.Take<uint8_t>() % 16 == 0) return nullptr;
    size_t size = sizeof(Struct);
    // Whole members, or too short for any.
    if (input_.Take<uint8_t>() % 4 == 0) size = 8 * input_.TakeBelow(sizeof(Struct) / 8 + 2);
    if (input_.Take<uint8_t>() % 32 == 0) size = input_.TakeBelow(8);
    value.struct_size = size;
    auto& block = blocks_.emplace_back(std::max(size, sizeof(size_t)) / sizeof(max_align_t) + 1);
    std::memcpy(block.data(), &value, std::min(std::max(size, sizeof(size_t)), sizeof(Struct)));
    return reinterpret_cast<const Struct*>(block.data());
  }

  const char* Text() {
    if (input_.Take<uint8_t>() % 4 == 0) return nullptr;
    return texts_.emplace_back(input_.TakeText(100)).c_str();
  }

  const char* const* Texts(size_t count) {
    if (input_.Take<uint8_t>() % 8 == 0) return nullptr;
    auto& list = lists_.emplace_back();
    for (size_t i = 0; i < count; ++i) list.push_back(Text());
    return list.data();
  }

  template <typename T>
  T* Numbers(size_t count) {
    if (input_.Take<uint8_t>() % 8 == 0) return nullptr;
    auto& block = blocks_.emplace_back(count * sizeof(T) / sizeof(max_align_t) + 1);
    auto* const numbers = reinterpret_cast<T*>(block.data());
    for (size_t i = 0; i < count; ++i) numbers[i] = input_.Take<T>();
    return numbers;
  }

 private:
  fuzz::Input& input_;
  std::deque<std::vector<max_align_t>> blocks_;
  std::deque<std::string> texts_;
  std::deque<std::vector<const char*>> lists_;
};

const blendwire_mesh* TakeMesh(fuzz::Input& input, Arena& arena, size_t count) {
  blendwire_mesh mesh = DefaultMesh();
  const size_t stride = input.TakeBool() ? 0 : input.TakeBelow(40);
  mesh.vertex_count = count;
  mesh.vertex_stride = stride;
  mesh.vertices = arena.Numbers<float>(count * std::max<size_t>(stride / 4 + 1, 3));
  if (mesh.vertices == nullptr) mesh.vertex_count = input.Take<size_t>();
  mesh.triangle_count = input.TakeBelow(6);
  mesh.triangles = arena.Numbers<uint32_t>(3 * mesh.triangle_count);
  return arena.Store(mesh);
}

const blendwire_expression* TakeExpression(fuzz::Input& input, Arena& arena) {
  blendwire_expression expression = DefaultExpression();
  expression.kind = static_cast<int32_t>(input.TakeBelow(5)) - 1;
  expression.intensity = input.TakeFloat();
  expression.name = arena.Text();
  expression.feature_count = input.TakeBelow(8);
  expression.features = arena.Numbers<float>(expression.feature_count);
  expression.parameter_count = input.TakeBelow(4);
  expression.parameter_names = arena.Texts(expression.parameter_count);
  expression.parameter_weights = arena.Numbers<float>(expression.parameter_count);
  return arena.Store(expression);
}

const blendwire_predict_request* TakeRequest(fuzz::Input& input, Arena& arena, size_t count,
                                             bool own_mesh) {
  blendwire_predict_request request = DefaultPredictRequest();
  if (own_mesh) request.mesh = TakeMesh(input, arena, count);
  request.expression = TakeExpression(input, arena);
  blendwire_prediction_options options = DefaultPredictionOptions();
  options.smoothing_iterations = input.Take<int32_t>();
  options.max_displacement = input.TakeFloat();
  request.options = arena.Store(options);
  request.model = arena.Text();
  request.offset_vertex_count = input.Take<uint8_t>() % 8 == 0 ? input.Take<size_t>() : count;
  request.offset_stride = input.TakeBool() ? 0 : input.TakeBelow(40);
  request.offsets =
      arena.Numbers<float>(count * std::max<size_t>(request.offset_stride / 4 + 1, 3));
  return arena.Store(request);
}

// What the client does with the result: reads the mesh and writes the offsets.
void UsePrediction(fuzz::Input& input, Arena& arena) {
  const size_t count = input.TakeBelow(12);
  const absl::StatusOr<PredictCall> call = ToPredictCall(TakeRequest(input, arena, count, true));
  if (!call.ok()) return;
  BLENDWIRE_FUZZ_CHECK(call->output.vertex_count * 3 == call->request.mesh.vertices.size());
  const std::vector<float> copy(call->request.mesh.vertices.begin(),
                                call->request.mesh.vertices.end());
  const std::vector<uint32_t> corners(call->request.mesh.triangles.begin(),
                                      call->request.mesh.triangles.end());
  if (!call->output.packed()) return call->output.Scatter(copy);
  const absl::Span<float> span = call->output.span();
  std::copy(copy.begin(), copy.end(), span.begin());
}

void UseBatch(fuzz::Input& input, Arena& arena) {
  const size_t count = input.TakeBelow(8);
  blendwire_batch_request batch = DefaultBatchRequest();
  const bool shared = input.TakeBool();
  if (shared) batch.mesh = TakeMesh(input, arena, count);
  std::vector<blendwire_predict_request> items;
  for (size_t i = input.TakeBelow(4); i > 0; --i) {
    const auto* item = TakeRequest(input, arena, count, !shared || input.TakeBool());
    if (item == nullptr || item->struct_size < sizeof(*item)) continue;
    items.push_back(*item);
    items.back().struct_size = sizeof(*item);
  }
  batch.items = input.Take<uint8_t>() % 8 == 0 ? nullptr : items.data();
  batch.item_count = items.size();
  batch.max_parallel = input.Take<int32_t>();
  const absl::StatusOr<BatchCall> call = ToBatchCall(arena.Store(batch));
  if (call.ok()) BLENDWIRE_FUZZ_CHECK(call->outputs.size() == call->request.items.size());
}

void UseOptions(fuzz::Input& input, Arena& arena) {
  blendwire_client_options client = DefaultClientOptions();
  client.address = arena.Text();
  client.token = arena.Text();
  client.timeout_ms = input.Take<int64_t>();
  client.channels = input.Take<int32_t>();
  client.max_message_bytes = input.Take<int32_t>();
  client.retry_max_attempts = input.Take<int32_t>();
  client.retry_max_total_ms = input.Take<int64_t>();
  client.retry_initial_backoff_ms = input.Take<int64_t>();
  client.retry_max_backoff_ms = input.Take<int64_t>();
  client.retry_multiplier = input.Take<double>();
  client.retry_jitter = input.Take<double>();
  client.keepalive_time_ms = input.Take<int64_t>();
  client.keepalive_timeout_ms = input.Take<int64_t>();
  if (const auto options = ToClientOptions(arena.Store(client)); options.ok()) {
    (void)options->Validate();
  }
  blendwire_call_options call = DefaultCallOptions();
  call.timeout_ms = input.Take<int64_t>();
  call.request_id = arena.Text();
  call.max_attempts = input.Take<int32_t>();
  (void)ToCallOptions(arena.Store(call), {});
  blendwire_server_options server = DefaultServerOptions();
  server.program = arena.Text();
  server.argument_count = input.TakeBelow(4);
  server.arguments = arena.Texts(server.argument_count);
  server.environment_count = input.TakeBelow(4);
  server.environment = arena.Texts(server.environment_count);
  server.start_timeout_ms = input.Take<int64_t>();
  server.crash_window_ms = input.Take<int64_t>();
  (void)ToManagedServerOptions(arena.Store(server));
  blendwire_load_request load = DefaultLoadRequest();
  load.path = arena.Text();
  (void)ToLoadModelRequest(arena.Store(load));
}

void UseText(fuzz::Input& input) {
  const std::string text = input.TakeText(80);
  std::vector<char> buffer(input.TakeBelow(40));
  CopyText(text, buffer.data(), buffer.size());
  if (!buffer.empty()) BLENDWIRE_FUZZ_CHECK(std::count(buffer.begin(), buffer.end(), '\0') > 0);
}

}  // namespace
}  // namespace blendwire::capi

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  fuzz::Input input(data, size);
  capi::Arena arena(input);
  switch (input.Take<uint8_t>() % 4) {
    case 0: capi::UsePrediction(input, arena); break;
    case 1: capi::UseBatch(input, arena); break;
    case 2: capi::UseOptions(input, arena); break;
    default: capi::UseText(input); break;
  }
  return 0;
}

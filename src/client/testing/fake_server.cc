// SPDX-License-Identifier: Apache-2.0

#include "client/testing/fake_server.h"

#include <chrono>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace blendwire::testing {
namespace {

constexpr int kMaxMessage = 200 * 1024 * 1024;

// An item without vertices uses the batch's; "bad" fails.
void Answer(const contract::VertexOffsetRequest& request,
            const google::protobuf::RepeatedField<float>& vertices,
            contract::VertexOffsetResponse& response) {
  if (request.condition().name() == "bad") {
    response.set_success(false);
    response.set_error_message("condition.name is \"bad\"");
    response.set_status_code(grpc::INVALID_ARGUMENT);
    return;
  }
  response.set_success(true);
  response.mutable_offsets()->Reserve(vertices.size());
  for (const float value : vertices) {
    response.add_offsets(value * request.condition().intensity());
  }
  contract::PredictionMetadata& metadata = *response.mutable_metadata();
  metadata.set_inference_time_ms(1.5f);
  metadata.set_preprocessing_time_ms(2.5f);
  metadata.set_postprocessing_time_ms(3.5f);
  metadata.set_queue_time_ms(4.5f);
  metadata.set_vertices_processed(vertices.size() / 3);
  metadata.set_model_version("1.2");
  metadata.set_model_name(request.model_name().empty() ? "default" : request.model_name());
  metadata.set_execution_provider("FakeProvider");
  metadata.mutable_quality()->set_avg_displacement(0.01f);
  metadata.mutable_quality()->set_max_displacement(0.02f);
  metadata.mutable_quality()->set_extreme_vertex_count(3);
  metadata.mutable_quality()->set_smoothness_score(0.75f);
}

void FillLatency(contract::LatencySummary& summary, int base) {
  summary.set_count(base);
  summary.set_mean_ms(static_cast<float>(base) + 0.1f);
  summary.set_p50_ms(static_cast<float>(base) + 0.2f);
  summary.set_p95_ms(static_cast<float>(base) + 0.3f);
  summary.set_p99_ms(static_cast<float>(base) + 0.4f);
  summary.set_max_ms(static_cast<float>(base) + 0.5f);
}

}  // namespace

contract::VertexOffsetRequest FakeService::LastPredict() const {
  absl::MutexLock lock(&mutex_);
  return last_predict_;
}

contract::BatchPredictionRequest FakeService::LastBatch() const {
  absl::MutexLock lock(&mutex_);
  return last_batch_;
}

contract::LoadModelRequest FakeService::LastLoad() const {
  absl::MutexLock lock(&mutex_);
  return last_load_;
}

std::vector<SeenCall> FakeService::Seen() const {
  absl::MutexLock lock(&mutex_);
  return seen_;
}

grpc::Status FakeService::Enter(grpc::ServerContext& context, const std::string& method) {
  SeenCall call;
  call.method = method;
  call.peer = context.peer();
  call.time_left = absl::FromChrono(context.deadline()) - absl::Now();
  for (const auto& [key, value] : context.client_metadata()) {
    call.metadata.emplace(std::string(key.data(), key.size()),
                          std::string(value.data(), value.size()));
  }
  {
    absl::MutexLock lock(&mutex_);
    seen_.push_back(std::move(call));
  }
  return before ? before(context, method) : grpc::Status::OK;
}

grpc::Status FakeService::HealthCheck(grpc::ServerContext* context,
                                      const contract::HealthCheckRequest*,
                                      contract::HealthCheckResponse* response) {
  if (auto status = Enter(*context, "HealthCheck"); !status.ok()) return status;
  response->set_status(contract::HealthCheckResponse::SERVING);
  response->set_message("ready");
  contract::ServerInfo& info = *response->mutable_server_info();
  info.set_version("0.1.0");
  info.set_model_version("1.2");
  info.set_gpu_available(true);
  info.set_device_info("CPU: fake");
  info.set_max_concurrent_requests(4);
  return grpc::Status::OK;
}

void FakeService::ForgetMeshes() {
  absl::MutexLock lock(&mutex_);
  meshes_.clear();
}

template <typename Request>
grpc::Status FakeService::FindMesh(const Request& request, Vertices& vertices, std::string& id) {
  vertices = request.vertices();
  if (!keeps_meshes || (vertices.empty() && request.mesh_id().empty())) return grpc::Status::OK;
  absl::MutexLock lock(&mutex_);
  id = request.mesh_id();
  if (id.empty()) {
    id = absl::StrCat("mesh ", ++meshes_named_);
    meshes_[id] = vertices;
    return grpc::Status::OK;
  }
  const auto found = meshes_.find(id);
  if (found == meshes_.end()) return grpc::Status(grpc::NOT_FOUND, "no such mesh");
  vertices = found->second;
  return grpc::Status::OK;
}

grpc::Status FakeService::PredictVertexOffsets(grpc::ServerContext* context,
                                               const contract::VertexOffsetRequest* request,
                                               contract::VertexOffsetResponse* response) {
  if (auto status = Enter(*context, "PredictVertexOffsets"); !status.ok()) return status;
  {
    absl::MutexLock lock(&mutex_);
    last_predict_ = *request;
  }
  if (before_answer) {
    if (auto status = before_answer(*context, *request); !status.ok()) return status;
  }
  Vertices vertices;
  std::string id;
  if (auto status = FindMesh(*request, vertices, id); !status.ok()) return status;
  Answer(*request, vertices, *response);
  response->set_mesh_id(id);
  if (spoil) spoil(*response);
  return grpc::Status::OK;
}

grpc::Status FakeService::PredictBatch(grpc::ServerContext* context,
                                       const contract::BatchPredictionRequest* request,
                                       contract::BatchPredictionResponse* response) {
  if (auto status = Enter(*context, "PredictBatch"); !status.ok()) return status;
  {
    absl::MutexLock lock(&mutex_);
    last_batch_ = *request;
  }
  Vertices shared;
  std::string shared_id;
  if (auto status = FindMesh(*request, shared, shared_id); !status.ok()) return status;
  for (const auto& item : request->requests()) {
    if (before_answer) {
      if (auto status = before_answer(*context, item); !status.ok()) return status;
    }
    const bool own = !item.vertices().empty();
    Answer(item, own ? item.vertices() : shared, *response->add_responses());
    response->mutable_responses()->rbegin()->set_mesh_id(own ? "of the item" : shared_id);
  }
  response->set_total_processing_time_ms(12.5f);
  if (spoil_batch) spoil_batch(*response);
  return grpc::Status::OK;
}

// From the last item to the first: the order of a stream is not that of the request.
grpc::Status FakeService::PredictStream(
    grpc::ServerContext* context, const contract::BatchPredictionRequest* request,
    grpc::ServerWriter<contract::BatchPredictionUpdate>* writer) {
  if (auto status = Enter(*context, "PredictStream"); !status.ok()) return status;
  {
    absl::MutexLock lock(&mutex_);
    last_batch_ = *request;
  }
  Vertices shared;
  std::string shared_id;
  if (auto status = FindMesh(*request, shared, shared_id); !status.ok()) return status;
  for (int index = request->requests_size() - 1; index >= 0; --index) {
    if (before_item) {
      if (auto status = before_item(*context, index); !status.ok()) return status;
    }
    contract::BatchPredictionUpdate update;
    update.set_index(index);
    update.set_completed(request->requests_size() - index);
    update.set_total(request->requests_size());
    const auto& item = request->requests(index);
    if (before_answer) {
      if (auto status = before_answer(*context, item); !status.ok()) return status;
    }
    const bool own = !item.vertices().empty();
    Answer(item, own ? item.vertices() : shared, *update.mutable_response());
    update.mutable_response()->set_mesh_id(own ? "of the item" : shared_id);
    if (spoil_update) spoil_update(update);
    if (!writer->Write(update)) return grpc::Status(grpc::CANCELLED, "the client is gone");
  }
  return grpc::Status::OK;
}

grpc::Status FakeService::GetPerformanceStats(grpc::ServerContext* context,
                                              const contract::PerformanceStatsRequest* request,
                                              contract::PerformanceStatsResponse* response) {
  if (auto status = Enter(*context, "GetPerformanceStats"); !status.ok()) return status;
  response->set_total_requests(request->reset_stats() ? 1000 : 100);
  response->set_avg_inference_time_ms(1.0f);
  response->set_max_inference_time_ms(2.0f);
  response->set_min_inference_time_ms(0.5f);
  response->set_successful_requests(90);
  response->set_failed_requests(10);
  response->set_uptime_seconds(12.0f);
  response->mutable_resource_usage()->set_cpu_usage_percent(150.0f);
  response->mutable_resource_usage()->set_memory_usage_mb(64.0f);
  response->mutable_resource_usage()->set_gpu_memory_usage_mb(32.0f);
  response->mutable_resource_usage()->set_gpu_utilization_percent(16.0f);
  FillLatency(*response->mutable_total_time(), 10);
  FillLatency(*response->mutable_queue_time(), 20);
  FillLatency(*response->mutable_preprocessing_time(), 30);
  FillLatency(*response->mutable_inference_time(), 40);
  FillLatency(*response->mutable_postprocessing_time(), 50);
  response->set_rejected_requests(1);
  response->set_cancelled_requests(2);
  response->set_deadline_exceeded_requests(3);
  response->set_in_flight_requests(4);
  response->set_queued_requests(5);
  contract::ModelStats& model = *response->add_models();
  model.set_model_name("default");
  model.set_successful_requests(80);
  model.set_failed_requests(8);
  FillLatency(*model.mutable_inference_time(), 60);
  return grpc::Status::OK;
}

grpc::Status FakeService::LoadModel(grpc::ServerContext* context,
                                    const contract::LoadModelRequest* request,
                                    contract::LoadModelResponse* response) {
  if (auto status = Enter(*context, "LoadModel"); !status.ok()) return status;
  {
    absl::MutexLock lock(&mutex_);
    last_load_ = *request;
  }
  // The specification's server reports a failure inside a successful answer.
  const bool good = absl::EndsWith(request->model_path(), ".onnx");
  response->set_success(good);
  if (good) {
    response->set_model_version("2.0");
  } else {
    response->set_error_message("Failed to load model");
  }
  return grpc::Status::OK;
}

grpc::Status FakeService::UnloadModel(grpc::ServerContext* context,
                                      const contract::UnloadModelRequest* request,
                                      contract::UnloadModelResponse* response) {
  if (auto status = Enter(*context, "UnloadModel"); !status.ok()) return status;
  if (request->model_name() == "missing") {
    return grpc::Status(grpc::NOT_FOUND, "no model \"missing\" is loaded");
  }
  response->set_success(true);
  return grpc::Status::OK;
}

grpc::Status FakeService::ListModels(grpc::ServerContext* context,
                                     const contract::ListModelsRequest*,
                                     contract::ListModelsResponse* response) {
  if (auto status = Enter(*context, "ListModels"); !status.ok()) return status;
  contract::ModelInfo& model = *response->add_models();
  model.set_name("default");
  model.set_version("1.2");
  model.set_title("A face");
  model.set_execution_provider("FakeProvider");
  model.set_condition_size(2);
  model.add_condition_slots("viseme:aa");
  model.add_condition_slots("unit:jawOpen");
  model.set_takes_normals(true);
  model.set_max_batch(8);
  model.add_expressions("aa");
  model.set_sha256("abc");
  response->add_models()->set_name("second");
  return grpc::Status::OK;
}

FakeServer::FakeServer(FakeService& service, const std::string& address) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMaxMessage);
  builder.SetMaxSendMessageSize(kMaxMessage);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  server_ = builder.BuildAndStart();
  address_ = absl::StartsWith(address, "unix:")
                 ? address
                 : absl::StrCat(address.substr(0, address.rfind(':')), ":", port);
}

FakeServer::~FakeServer() { Stop(); }

void FakeServer::Stop() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_->Wait();
  server_ = nullptr;
}

}  // namespace blendwire::testing

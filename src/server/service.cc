// SPDX-License-Identifier: Apache-2.0

#include "server/service.h"

#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "contract/version.h"
#include "model/device.h"
#include "server/call_info.h"
#include "server/model_calls.h"
#include "server/predict_calls.h"
#include "server/share_memory_call.h"

namespace blendwire::server {
namespace {

// Finishes a call that needs no waiting.
grpc::ServerUnaryReactor* FinishNow(grpc::CallbackServerContext& context,
                                    const absl::Status& status) {
  grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

class ManagementJob final : public Job {
 public:
  explicit ManagementJob(std::function<void()> work) : work_(std::move(work)) {}
  void RunUnit(size_t, absl::Duration) override { work_(); }

 private:
  const std::function<void()> work_;
};

// A model may want more memory than there is; that must fail the call, not the server.
absl::Status WithoutExceptions(const std::function<absl::Status()>& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("there is not enough memory for this model");
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

bool IsOurService(const std::string& name) {
  return name.empty() || name == "InferenceService" ||
         name == pb::InferenceService::service_full_name();
}

}  // namespace

void Service::FillServerInfo(pb::ServerInfo& info) const {
  info.set_version(contract::kVersion);
  info.set_max_concurrent_requests(core_.queue.workers());
  std::string provider = "no model loaded";
  int threads = core_.model_defaults.threads;
  for (const model::Repository::Named& named : core_.models.List()) {
    const model::ModelFacts& facts = named.model->facts();
    const bool on_gpu = facts.provider.device != model::Device::kCpu;
    if (on_gpu) info.set_gpu_available(true);
    if (named.name != model::kDefaultModelName && !on_gpu) continue;
    provider = facts.provider.provider;
    threads = facts.threads;
    if (named.name == model::kDefaultModelName) info.set_model_version(facts.version);
  }
  info.set_device_info(absl::StrCat(info.gpu_available() ? "GPU, with CPU: " : "CPU: ",
                                    model::ProcessorDescription(threads), " (", provider, ")"));
}

grpc::ServerUnaryReactor* Service::HealthCheck(grpc::CallbackServerContext* context,
                                               const pb::HealthCheckRequest* request,
                                               pb::HealthCheckResponse* response) {
  CallInfo::From("HealthCheck", *context);
  if (!IsOurService(request->service())) {
    response->set_status(pb::HealthCheckResponse::SERVICE_UNKNOWN);
    response->set_message("this server has the service InferenceService");
  } else if (draining_) {
    response->set_status(pb::HealthCheckResponse::NOT_SERVING);
    response->set_message("the server is shutting down");
  } else if (core_.models.empty()) {
    response->set_status(pb::HealthCheckResponse::NOT_SERVING);
    response->set_message("No models loaded");
  } else {
    response->set_status(pb::HealthCheckResponse::SERVING);
    response->set_message("Service is healthy and ready");
  }
  FillServerInfo(*response->mutable_server_info());
  return FinishNow(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* Service::PredictVertexOffsets(grpc::CallbackServerContext* context,
                                                        const pb::VertexOffsetRequest* request,
                                                        pb::VertexOffsetResponse* response) {
  return StartPredict(core_, *context, *request, *response);
}

grpc::ServerUnaryReactor* Service::PredictBatch(grpc::CallbackServerContext* context,
                                                const pb::BatchPredictionRequest* request,
                                                pb::BatchPredictionResponse* response) {
  return StartPredictBatch(core_, *context, *request, *response);
}

grpc::ServerWriteReactor<pb::BatchPredictionUpdate>* Service::PredictStream(
    grpc::CallbackServerContext* context, const pb::BatchPredictionRequest* request) {
  return StartPredictStream(core_, *context, *request);
}

grpc::ServerWriteReactor<pb::SharedMemoryRegion>* Service::ShareMemory(
    grpc::CallbackServerContext* context, const pb::ShareMemoryRequest* request) {
  return StartShareMemory(core_, *context, *request);
}

grpc::ServerUnaryReactor* Service::GetPerformanceStats(grpc::CallbackServerContext* context,
                                                       const pb::PerformanceStatsRequest* request,
                                                       pb::PerformanceStatsResponse* response) {
  const CallInfo info = CallInfo::From("GetPerformanceStats", *context);
  const Statistics::Counts counts = core_.statistics.Read(request->reset_stats());
  response->set_total_requests(counts.total);
  response->set_successful_requests(counts.successful);
  response->set_failed_requests(counts.failed);
  response->set_avg_inference_time_ms(Millis(counts.inference_time.mean()));
  response->set_max_inference_time_ms(Millis(counts.inference_time.max()));
  response->set_min_inference_time_ms(Millis(counts.inference_time.min()));
  const std::chrono::duration<float> uptime = std::chrono::steady_clock::now() - core_.started;
  response->set_uptime_seconds(uptime.count());
  resources_.Fill(*response->mutable_resource_usage());
  FillLatency(counts.total_time, *response->mutable_total_time());
  FillLatency(counts.queue_time, *response->mutable_queue_time());
  FillLatency(counts.preprocessing_time, *response->mutable_preprocessing_time());
  FillLatency(counts.inference_time, *response->mutable_inference_time());
  FillLatency(counts.postprocessing_time, *response->mutable_postprocessing_time());
  response->set_rejected_requests(counts.rejected);
  response->set_cancelled_requests(counts.cancelled);
  response->set_deadline_exceeded_requests(counts.deadline_exceeded);
  response->set_in_flight_requests(core_.queue.running());
  response->set_queued_requests(core_.queue.waiting());
  for (const auto& [name, model] : counts.models) {
    pb::ModelStats& stats = *response->add_models();
    stats.set_model_name(name);
    stats.set_successful_requests(model.successful);
    stats.set_failed_requests(model.failed);
    FillLatency(model.inference, *stats.mutable_inference_time());
  }
  info.LogEnd(absl::OkStatus(), 0);
  return FinishNow(*context, absl::OkStatus());
}

grpc::ServerUnaryReactor* Service::Manage(const char* method, grpc::CallbackServerContext& context,
                                          std::function<absl::Status()> work) {
  const CallInfo info = CallInfo::From(method, context);
  grpc::ServerUnaryReactor* const reactor = context.DefaultReactor();
  const absl::Status submitted = core_.management.Submit(
      std::make_shared<ManagementJob>([this, info, reactor, &context, work = std::move(work)] {
        absl::Status status;
        if (core_.abort.stop_requested()) {
          status = absl::UnavailableError("the server is shutting down");
        } else if (context.IsCancelled()) {
          status = absl::CancelledError("the caller left before it was this call's turn");
        } else {
          status = WithoutExceptions(work);
          // Also after an error: a model that is still in use is gone from the list all the same.
          on_models_changed_();
        }
        info.LogEnd(status, 0);
        reactor->Finish(ToGrpc(status));
      }),
      1, 1);
  if (!submitted.ok()) {
    info.LogEnd(submitted, 0);
    reactor->Finish(ToGrpc(submitted));
  }
  return reactor;
}

grpc::ServerUnaryReactor* Service::LoadModel(grpc::CallbackServerContext* context,
                                             const pb::LoadModelRequest* request,
                                             pb::LoadModelResponse* response) {
  return Manage("LoadModel", *context, [this, request, response] {
    return server::LoadModel(core_, *request, *response);
  });
}

grpc::ServerUnaryReactor* Service::UnloadModel(grpc::CallbackServerContext* context,
                                               const pb::UnloadModelRequest* request,
                                               pb::UnloadModelResponse* response) {
  return Manage("UnloadModel", *context, [this, request, response] {
    return server::UnloadModel(core_, *request, *response);
  });
}

grpc::ServerUnaryReactor* Service::ListModels(grpc::CallbackServerContext* context,
                                              const pb::ListModelsRequest*,
                                              pb::ListModelsResponse* response) {
  const CallInfo info = CallInfo::From("ListModels", *context);
  server::ListModels(core_, *response);
  info.LogEnd(absl::OkStatus(), 0);
  return FinishNow(*context, absl::OkStatus());
}

}  // namespace blendwire::server

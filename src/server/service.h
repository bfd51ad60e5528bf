// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_SERVICE_H_
#define BLENDWIRE_SERVER_SERVICE_H_

#include <atomic>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "server/core.h"
#include "server/resource_monitor.h"
#include "server/translate.h"
#include "vrchat/blendshape/inference/inference.grpc.pb.h"

namespace blendwire::server {

// The contract's service over gRPC's callback API: no thread waits for a call.
class Service final : public pb::InferenceService::CallbackService {
 public:
  // `on_models_changed` is called, on any thread, after a model was loaded or unloaded.
  Service(Core& core, std::function<void()> on_models_changed)
      : core_(core), on_models_changed_(std::move(on_models_changed)) {}

  // HealthCheck says NOT_SERVING from now on.
  void StartDraining() { draining_ = true; }

  grpc::ServerUnaryReactor* HealthCheck(grpc::CallbackServerContext* context,
                                        const pb::HealthCheckRequest* request,
                                        pb::HealthCheckResponse* response) override;
  grpc::ServerUnaryReactor* PredictVertexOffsets(grpc::CallbackServerContext* context,
                                                 const pb::VertexOffsetRequest* request,
                                                 pb::VertexOffsetResponse* response) override;
  grpc::ServerUnaryReactor* PredictBatch(grpc::CallbackServerContext* context,
                                         const pb::BatchPredictionRequest* request,
                                         pb::BatchPredictionResponse* response) override;
  grpc::ServerWriteReactor<pb::BatchPredictionUpdate>* PredictStream(
      grpc::CallbackServerContext* context, const pb::BatchPredictionRequest* request) override;
  grpc::ServerWriteReactor<pb::SharedMemoryRegion>* ShareMemory(
      grpc::CallbackServerContext* context, const pb::ShareMemoryRequest* request) override;
  grpc::ServerUnaryReactor* GetPerformanceStats(grpc::CallbackServerContext* context,
                                                const pb::PerformanceStatsRequest* request,
                                                pb::PerformanceStatsResponse* response) override;
  grpc::ServerUnaryReactor* LoadModel(grpc::CallbackServerContext* context,
                                      const pb::LoadModelRequest* request,
                                      pb::LoadModelResponse* response) override;
  grpc::ServerUnaryReactor* UnloadModel(grpc::CallbackServerContext* context,
                                        const pb::UnloadModelRequest* request,
                                        pb::UnloadModelResponse* response) override;
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const pb::ListModelsRequest* request,
                                       pb::ListModelsResponse* response) override;

 private:
  // Runs `work` on the management thread and finishes the call with its status.
  grpc::ServerUnaryReactor* Manage(const char* method, grpc::CallbackServerContext& context,
                                   std::function<absl::Status()> work);

  void FillServerInfo(pb::ServerInfo& info) const;

  Core& core_;
  const std::function<void()> on_models_changed_;
  ResourceMonitor resources_;
  std::atomic<bool> draining_{false};
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_SERVICE_H_

// SPDX-License-Identifier: Apache-2.0
//
// A real gRPC server inside the test, with answers that the test can work out by itself:
// offset = coordinate * intensity, and hooks for everything that goes wrong.

#ifndef BLENDWIRE_CLIENT_TESTING_FAKE_SERVER_H_
#define BLENDWIRE_CLIENT_TESTING_FAKE_SERVER_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "grpcpp/grpcpp.h"
#include "vrchat/blendshape/inference/inference.grpc.pb.h"

namespace blendwire::testing {

namespace contract = ::vrchat::blendshape::inference;

// What the server saw of one try of a call.
struct SeenCall {
  std::string method;
  std::string peer;
  std::map<std::string, std::string> metadata;
  absl::Duration time_left;
};

class FakeService final : public contract::InferenceService::Service {
 public:
  // Runs at the start of each call; an error ends it. Set before the first call.
  std::function<grpc::Status(grpc::ServerContext&, const std::string& method)> before;
  // Runs before a prediction or an item of a batch is answered; an error ends the call.
  std::function<grpc::Status(grpc::ServerContext&, const contract::VertexOffsetRequest&)>
      before_answer;
  // Runs before each item of a stream is sent.
  std::function<grpc::Status(grpc::ServerContext&, int index)> before_item;
  // Changes an answer before it is sent.
  std::function<void(contract::VertexOffsetResponse&)> spoil;
  std::function<void(contract::BatchPredictionResponse&)> spoil_batch;
  std::function<void(contract::BatchPredictionUpdate&)> spoil_update;
  // Whether answers name their meshes, by which they can be asked for again. Set before the first
  // call.
  bool keeps_meshes = false;

  // Names that were given are unknown from now on.
  void ForgetMeshes();

  // The last request, and all that was seen.
  contract::VertexOffsetRequest LastPredict() const;
  contract::BatchPredictionRequest LastBatch() const;
  contract::LoadModelRequest LastLoad() const;
  std::vector<SeenCall> Seen() const;

  grpc::Status HealthCheck(grpc::ServerContext*, const contract::HealthCheckRequest*,
                           contract::HealthCheckResponse*) override;
  grpc::Status PredictVertexOffsets(grpc::ServerContext*, const contract::VertexOffsetRequest*,
                                    contract::VertexOffsetResponse*) override;
  grpc::Status PredictBatch(grpc::ServerContext*, const contract::BatchPredictionRequest*,
                            contract::BatchPredictionResponse*) override;
  grpc::Status PredictStream(grpc::ServerContext*, const contract::BatchPredictionRequest*,
                             grpc::ServerWriter<contract::BatchPredictionUpdate>*) override;
  grpc::Status GetPerformanceStats(grpc::ServerContext*, const contract::PerformanceStatsRequest*,
                                   contract::PerformanceStatsResponse*) override;
  grpc::Status LoadModel(grpc::ServerContext*, const contract::LoadModelRequest*,
                         contract::LoadModelResponse*) override;
  grpc::Status UnloadModel(grpc::ServerContext*, const contract::UnloadModelRequest*,
                           contract::UnloadModelResponse*) override;
  grpc::Status ListModels(grpc::ServerContext*, const contract::ListModelsRequest*,
                          contract::ListModelsResponse*) override;

 private:
  using Vertices = google::protobuf::RepeatedField<float>;

  grpc::Status Enter(grpc::ServerContext& context, const std::string& method);
  // The vertices that a request or batch has or names; `id` becomes their name.
  template <typename Request>
  grpc::Status FindMesh(const Request& request, Vertices& vertices, std::string& id);

  mutable absl::Mutex mutex_;
  std::vector<SeenCall> seen_ ABSL_GUARDED_BY(mutex_);
  contract::VertexOffsetRequest last_predict_ ABSL_GUARDED_BY(mutex_);
  contract::BatchPredictionRequest last_batch_ ABSL_GUARDED_BY(mutex_);
  contract::LoadModelRequest last_load_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Vertices> meshes_ ABSL_GUARDED_BY(mutex_);
  int meshes_named_ ABSL_GUARDED_BY(mutex_) = 0;
};

class FakeServer {
 public:
  // "127.0.0.1:0" takes a free port; the service outlives the server.
  explicit FakeServer(FakeService& service, const std::string& address = "127.0.0.1:0");
  ~FakeServer();

  bool started() const { return server_ != nullptr; }
  const std::string& address() const { return address_; }
  // Ends running calls at once.
  void Stop();

 private:
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace blendwire::testing

#endif  // BLENDWIRE_CLIENT_TESTING_FAKE_SERVER_H_

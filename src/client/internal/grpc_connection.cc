// SPDX-License-Identifier: Apache-2.0

#include "client/internal/grpc_connection.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/address.h"
#include "client/internal/call_tracker.h"
#include "client/internal/encoding.h"
#include "client/internal/grpc_rpc.h"
#include "client/internal/header_value.h"
#include "client/internal/known_meshes.h"
#include "client/internal/metadata_transport.h"
#include "client/internal/pool_transport.h"
#include "client/internal/retry_transport.h"
#include "client/internal/transport.h"

namespace blendwire::client {
namespace {

class RandomSource {
 public:
  double Uniform() {
    absl::MutexLock lock(&mutex_);
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine_);
  }

  std::string RequestId() {
    absl::MutexLock lock(&mutex_);
    return absl::StrCat(absl::Hex(engine_(), absl::kZeroPad16));
  }

 private:
  absl::Mutex mutex_;
  std::mt19937_64 engine_ ABSL_GUARDED_BY(mutex_){std::random_device{}()};
};

RandomSource& SharedRandom() {
  static auto* const source = new RandomSource;  // never destroyed: calls may outlive main()
  return *source;
}

// Puts the items of a stream in their places and reports them.
class StreamCollector {
 public:
  StreamCollector(const BatchRequest& request, std::vector<Destination> destinations,
                  UpdateCallback on_update)
      : destinations_(std::move(destinations)),
        on_update_(std::move(on_update)),
        arrived_(destinations_.size(), false),
        items_(destinations_.size(), absl::InternalError("the server left this item out")) {
    for (const BatchItem& item : request.items) shares_mesh_.push_back(!item.mesh.has_value());
  }

  absl::Status Add(const contract::BatchPredictionUpdate& update) {
    const auto index = static_cast<size_t>(update.index());
    if (update.index() < 0 || index >= items_.size() || arrived_[index]) {
      return absl::InternalError(absl::StrCat("the server reported item ", update.index(), " of ",
                                              items_.size(), " twice or out of range"));
    }
    arrived_[index] = true;
    ++completed_;
    if (shares_mesh_[index]) mesh_id_ = update.response().mesh_id();
    items_[index] = Decode(update.response(), destinations_[index]);
    if (on_update_) {
      const CallbackScope scope;
      on_update_(BatchUpdate{index, completed_, items_.size(), items_[index]});
    }
    return absl::OkStatus();
  }

  // What the server calls the mesh that the items share; empty if it does not say.
  const std::string& mesh_id() const { return mesh_id_; }

  absl::StatusOr<BatchResult> Take() {
    if (completed_ != items_.size()) {
      return absl::InternalError(absl::StrCat("the server ended the stream after ", completed_,
                                              " of ", items_.size(), " items"));
    }
    BatchResult result;
    result.items = std::move(items_);
    return result;
  }

 private:
  const std::vector<Destination> destinations_;
  const UpdateCallback on_update_;
  std::vector<bool> shares_mesh_;
  std::vector<bool> arrived_;
  std::vector<absl::StatusOr<Prediction>> items_;
  size_t completed_ = 0;
  std::string mesh_id_;
};

absl::StatusOr<BatchResult> DecodeBatch(const contract::BatchPredictionResponse& message,
                                        const std::vector<Destination>& destinations) {
  if (static_cast<size_t>(message.responses_size()) != destinations.size()) {
    return absl::InternalError(absl::StrCat("the server answered ", message.responses_size(),
                                            " items of a batch of ", destinations.size()));
  }
  BatchResult result;
  result.items.reserve(destinations.size());
  for (int i = 0; i < message.responses_size(); ++i) {
    result.items.push_back(Decode(message.responses(i), destinations[static_cast<size_t>(i)]));
  }
  result.total_processing_time_ms = message.total_processing_time_ms();
  return result;
}

// What is sent in the place of a mesh that the server knows.
std::string IdOf(const std::shared_ptr<const KnownMesh>& known) {
  return known == nullptr ? std::string() : known->id;
}

// Puts the mesh itself into a message that named it, once the server has said that it does not (or
// no longer) know it. NOT_FOUND may mean the model, too: then the second try ends in the same way.
template <typename Message>
AmendFunction SendingMeshInFull(Message& message, std::shared_ptr<const KnownMesh> known) {
  if (known == nullptr) return nullptr;
  return [&message, known = std::move(known)](const absl::Status& status) {
    if (!absl::IsNotFound(status)) return false;
    message.clear_mesh_id();
    *message.mutable_vertices() = known->vertices;
    *message.mutable_topology()->mutable_triangles() = known->triangles;
    return true;
  };
}

// Remembers the mesh of a message that has been answered; it moves out of the message.
template <typename Message>
void Learn(Message& message, const std::string& id, KnownMeshes& meshes) {
  if (id.empty() || message.vertices_size() == 0) return;
  auto known = std::make_shared<KnownMesh>();
  known->id = id;
  known->vertices.Swap(message.mutable_vertices());
  if (message.has_topology()) {
    known->triangles.Swap(message.mutable_topology()->mutable_triangles());
  }
  meshes.Remember(std::move(known));
}

// The name that the answers of a batch give to the mesh that its items share.
std::string SharedMeshId(const contract::BatchPredictionRequest& request,
                         const contract::BatchPredictionResponse& response) {
  const int count = std::min(request.requests_size(), response.responses_size());
  for (int i = 0; i < count; ++i) {
    if (request.requests(i).vertices_size() == 0 && !response.responses(i).mesh_id().empty()) {
      return response.responses(i).mesh_id();
    }
  }
  return {};
}

class GrpcConnection : public Connection {
 public:
  GrpcConnection(const ClientOptions& options, std::unique_ptr<Transport> transport,
                 std::shared_ptr<Clock> clock)
      : timeout_(options.timeout),
        max_message_bytes_(options.max_message_bytes),
        meshes_(std::make_shared<KnownMeshes>(options.known_mesh_bytes)),
        transport_(std::move(transport)),
        clock_(std::move(clock)) {}

  ~GrpcConnection() override {
    tracker_->CancelAll();
    if (CallbackScope::Active()) {
      // On one of gRPC's threads, where waiting is not possible and channels must not go.
      DestroyElsewhere(std::move(transport_), tracker_);
    } else {
      tracker_->AwaitEnd();
    }
  }

  void Health(const CallOptions& call, Callback<ServerHealth> done) override {
    auto rpc = Unary(&AsyncStub::HealthCheck);
    Run(call, timeout_, rpc, std::move(done),
        [rpc]() -> absl::StatusOr<ServerHealth> { return Decode(rpc->response()); });
  }

  void Predict(const PredictRequest& request, const CallOptions& call,
               Callback<Prediction> done) override {
    const absl::StatusOr<Destination> destination = DestinationFor(request);
    if (!destination.ok()) return Reject(destination.status(), std::move(done));
    auto rpc = Unary(&AsyncStub::PredictVertexOffsets);
    auto known = meshes_->Find(request.mesh);
    if (auto s = Encode(request, IdOf(known), max_message_bytes_, rpc->request()); !s.ok()) {
      return Reject(s, std::move(done));
    }
    rpc->AmendWith(SendingMeshInFull(rpc->request(), std::move(known)));
    // Otherwise the parser, which sees the offsets in pieces, moves them to more room again and
    // again.
    rpc->response().mutable_offsets()->Reserve(static_cast<int>(destination->size));
    Run(call, timeout_, rpc, std::move(done), [rpc, destination = *destination, meshes = meshes_] {
      Learn(rpc->request(), rpc->response().mesh_id(), *meshes);
      return Decode(rpc->response(), destination);
    });
  }

  void PredictBatch(const BatchRequest& request, const CallOptions& call,
                    Callback<BatchResult> done) override {
    absl::StatusOr<std::vector<Destination>> destinations = DestinationsFor(request);
    if (!destinations.ok()) return Reject(destinations.status(), std::move(done));
    auto rpc = Unary(&AsyncStub::PredictBatch);
    auto known = meshes_->Find(request.mesh);
    if (auto s = Encode(request, IdOf(known), max_message_bytes_, rpc->request()); !s.ok()) {
      return Reject(s, std::move(done));
    }
    rpc->AmendWith(SendingMeshInFull(rpc->request(), std::move(known)));
    Run(call, BatchTimeout(request), rpc, std::move(done),
        [rpc, destinations = *std::move(destinations), meshes = meshes_] {
          Learn(rpc->request(), SharedMeshId(rpc->request(), rpc->response()), *meshes);
          return DecodeBatch(rpc->response(), destinations);
        });
  }

  void PredictStream(const BatchRequest& request, const CallOptions& call, UpdateCallback on_update,
                     Callback<BatchResult> done) override {
    absl::StatusOr<std::vector<Destination>> destinations = DestinationsFor(request);
    if (!destinations.ok()) return Reject(destinations.status(), std::move(done));
    auto collector =
        std::make_shared<StreamCollector>(request, *std::move(destinations), std::move(on_update));
    auto rpc = std::make_shared<PredictStreamRpc>(
        [collector](const contract::BatchPredictionUpdate& update) {
          return collector->Add(update);
        });
    auto known = meshes_->Find(request.mesh);
    if (auto s = Encode(request, IdOf(known), max_message_bytes_, rpc->request()); !s.ok()) {
      return Reject(s, std::move(done));
    }
    rpc->AmendWith(SendingMeshInFull(rpc->request(), std::move(known)));
    Run(call, BatchTimeout(request), rpc, std::move(done), [rpc, collector, meshes = meshes_] {
      Learn(rpc->request(), collector->mesh_id(), *meshes);
      return collector->Take();
    });
  }

  void Stats(bool reset, const CallOptions& call, Callback<ServerStats> done) override {
    auto rpc = Unary(&AsyncStub::GetPerformanceStats, /*retryable=*/!reset);
    rpc->request().set_reset_stats(reset);
    Run(call, timeout_, rpc, std::move(done),
        [rpc]() -> absl::StatusOr<ServerStats> { return Decode(rpc->response()); });
  }

  void LoadModel(const LoadModelRequest& request, const CallOptions& call,
                 Callback<LoadedModel> done) override {
    auto rpc = Unary(&AsyncStub::LoadModel);  // loading twice ends in the same state
    Encode(request, rpc->request());
    Run(call, timeout_, rpc, std::move(done), [rpc]() -> absl::StatusOr<LoadedModel> {
      const auto& response = rpc->response();
      const absl::Status status = ResponseStatus(response.success(), response.error_message());
      if (!status.ok()) return status;
      return LoadedModel{response.model_version()};
    });
  }

  void UnloadModel(const std::string& name, const CallOptions& call, StatusCallback done) override {
    auto rpc = Unary(&AsyncStub::UnloadModel, /*retryable=*/false);
    rpc->request().set_model_name(name);
    Run(call, timeout_, rpc, std::move(done), [rpc] {
      return ResponseStatus(rpc->response().success(), rpc->response().error_message());
    });
  }

  void ListModels(const CallOptions& call, Callback<std::vector<ModelInfo>> done) override {
    auto rpc = Unary(&AsyncStub::ListModels);
    Run(call, timeout_, rpc, std::move(done),
        [rpc]() -> absl::StatusOr<std::vector<ModelInfo>> { return Decode(rpc->response()); });
  }

 private:
  static void DestroyElsewhere(std::shared_ptr<Transport> transport,
                               std::shared_ptr<CallTracker> tracker) {
    try {
      std::thread([transport, tracker] { tracker->AwaitEnd(); }).detach();
    } catch (const std::system_error&) {
      // No thread to be had: better never destroyed than from here.
      new std::shared_ptr<Transport>(std::move(transport));
    }
  }

  template <typename Request, typename Response>
  static std::shared_ptr<UnaryRpc<Request, Response>> Unary(
      void (AsyncStub::*method)(grpc::ClientContext*, const Request*, Response*,
                                std::function<void(grpc::Status)>),
      bool retryable = true) {
    return std::make_shared<UnaryRpc<Request, Response>>(method, retryable);
  }

  absl::Duration BatchTimeout(const BatchRequest& request) const {
    return timeout_ * static_cast<int64_t>(std::max<size_t>(request.items.size(), 1));
  }

  template <typename Done>
  static void Reject(const absl::Status& status, Done done) {
    const CallbackScope scope;
    done(status);
  }

  // Sends `rpc` on its way; when it has succeeded, `decode` makes the result that `done` gets. The
  // state of the call hangs on the transport's own closures, none of it on this object.
  template <typename Done, typename Decoder>
  void Run(const CallOptions& call, absl::Duration timeout, std::shared_ptr<Rpc> rpc, Done done,
           Decoder decode) {
    if (!IsHeaderValue(call.request_id)) {
      return Reject(absl::InvalidArgumentError(
                        "request_id may have printable ASCII characters only, and no space at "
                        "either end"),
                    std::move(done));
    }
    if (call.max_attempts.has_value() && *call.max_attempts < 1) {
      return Reject(absl::InvalidArgumentError(absl::StrCat("max_attempts is ", *call.max_attempts,
                                                            ", but must be at least 1")),
                    std::move(done));
    }
    if (call.cancellation.cancelled()) {
      return Reject(absl::CancelledError("the call was cancelled"), std::move(done));
    }
    Attempt attempt;
    attempt.deadline = clock_->Now() + call.timeout.value_or(timeout);
    attempt.request_id = call.request_id.empty() ? SharedRandom().RequestId() : call.request_id;
    attempt.max_attempts = call.max_attempts.value_or(0);
    uint64_t id = 0;
    std::function<void()> end = tracker_->Begin(&id);
    // Shared, because a std::function must be copyable and a callback may not be.
    auto shared_done = std::make_shared<Done>(std::move(done));
    std::function<void()> cancel = transport_->Start(
        std::move(rpc), std::move(attempt),
        [shared_done, end = std::move(end), decode = std::move(decode)](absl::Status status) {
          {
            const CallbackScope scope;
            if (status.ok()) {
              (*shared_done)(decode());
            } else {
              (*shared_done)(std::move(status));
            }
          }
          end();
        });
    tracker_->SetCancel(id, call.cancellation, std::move(cancel));
  }

  const absl::Duration timeout_;
  const int max_message_bytes_;
  const std::shared_ptr<KnownMeshes> meshes_;
  std::unique_ptr<Transport> transport_;
  const std::shared_ptr<Clock> clock_;
  const std::shared_ptr<CallTracker> tracker_ = std::make_shared<CallTracker>();
};

}  // namespace

absl::StatusOr<std::shared_ptr<Connection>> MakeConnectionWith(const ClientOptions& options,
                                                               std::shared_ptr<Clock> clock,
                                                               Random random) {
  if (absl::Status status = options.Validate(); !status.ok()) return status;
  const absl::StatusOr<std::string> target = LocalTarget(options.address);
  if (!target.ok()) return target.status();
  std::vector<std::unique_ptr<Transport>> channels;
  for (int i = 0; i < options.channels; ++i) {
    channels.push_back(MakeChannelTransport(*target, options));
  }
  auto pool = std::make_unique<PoolTransport>(std::move(channels));
  auto metadata = std::make_unique<MetadataTransport>(std::move(pool), options.token);
  auto retry = std::make_unique<RetryTransport>(std::move(metadata), options.retry, clock,
                                                std::move(random));
  return std::make_shared<GrpcConnection>(options, std::move(retry), std::move(clock));
}

}  // namespace blendwire::client

namespace blendwire {

absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(const ClientOptions& options) {
  return client::MakeConnectionWith(options, client::SystemClock(),
                                    [] { return client::SharedRandom().Uniform(); });
}

}  // namespace blendwire

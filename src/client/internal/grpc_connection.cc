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
#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "client/address.h"
#include "client/internal/answer_memory.h"
#include "client/internal/answer_places.h"
#include "client/internal/batch_answers.h"
#include "client/internal/call_tracker.h"
#include "client/internal/encoding.h"
#include "client/internal/grpc_rpc.h"
#include "client/internal/header_value.h"
#include "client/internal/known_meshes.h"
#include "client/internal/mesh_naming.h"
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

class GrpcConnection : public Connection, public std::enable_shared_from_this<GrpcConnection> {
 public:
  GrpcConnection(const ClientOptions& options, std::unique_ptr<Transport> transport,
                 std::shared_ptr<Clock> clock)
      : timeout_(options.timeout),
        max_message_bytes_(options.max_message_bytes),
        meshes_(std::make_shared<KnownMeshes>(options.known_mesh_bytes)),
        shares_memory_(options.shared_memory),
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
    // Comparing a large mesh takes as long as a call does: the server begins meanwhile.
    const auto guess = meshes_->Guess(request.mesh);
    auto known = guess != nullptr ? guess : meshes_->Find(request.mesh);
    if (auto s = Encode(request, IdOf(known), max_message_bytes_, rpc->request()); !s.ok()) {
      return Reject(s, std::move(done));
    }
    rpc->AmendWith(SendingMeshInFull(rpc->request(), std::move(known)));
    const std::shared_ptr<AnswerPlaces> places = PlacesFor({destination->size});
    SetPlace(*places, 0, rpc->request());
    SendAnswersOnRestart(*rpc, places);
    if (places->empty()) {
      // Otherwise the parser, which sees the offsets in pieces, moves them to more room again and
      // again.
      rpc->response().mutable_offsets()->Reserve(static_cast<int>(destination->size));
    }
    bool right = false;
    std::function<void()> mend;
    if (guess != nullptr) rpc->StartOnGuess();
    // Also where memory runs out, or the call would wait for ever.
    const absl::Cleanup judge = [&] {
      if (guess != nullptr) rpc->JudgeGuess(right, std::move(mend));
    };
    const std::shared_ptr<KnownMeshes> meshes = meshes_;  // after Run(), this object may be gone
    Run(call, timeout_, rpc, Releasing(places, std::move(done)),
        [rpc, destination = *destination, meshes, places] {
          Learn(rpc->request(), rpc->response().mesh_id(), *meshes);
          return Decode(rpc->response(), destination, places->Read(0));
        });
    if (guess == nullptr) return;
    right = meshes->IsRight(guess, request.mesh);
    if (!right) mend = SendingInstead(rpc->request(), request.mesh);
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
    const std::shared_ptr<AnswerPlaces> places = PlacesFor(SizesOf(*destinations));
    SetPlaces(*places, rpc->request());
    SendAnswersOnRestart(*rpc, places);
    Run(call, BatchTimeout(request), rpc, Releasing(places, std::move(done)),
        [rpc, destinations = *std::move(destinations), meshes = meshes_, places] {
          Learn(rpc->request(), SharedMeshId(rpc->request(), rpc->response()), *meshes);
          return DecodeBatch(rpc->response(), destinations, *places);
        });
  }

  void PredictStream(const BatchRequest& request, const CallOptions& call, UpdateCallback on_update,
                     Callback<BatchResult> done) override {
    absl::StatusOr<std::vector<Destination>> destinations = DestinationsFor(request);
    if (!destinations.ok()) return Reject(destinations.status(), std::move(done));
    const std::shared_ptr<AnswerPlaces> places = PlacesFor(SizesOf(*destinations));
    auto collector = std::make_shared<StreamCollector>(request, *std::move(destinations), places,
                                                       std::move(on_update));
    auto rpc = std::make_shared<PredictStreamRpc>(
        &AsyncStub::PredictStream, [collector](const contract::BatchPredictionUpdate& update) {
          return collector->Add(update);
        });
    auto known = meshes_->Find(request.mesh);
    if (auto s = Encode(request, IdOf(known), max_message_bytes_, rpc->request()); !s.ok()) {
      return Reject(s, std::move(done));
    }
    rpc->AmendWith(SendingMeshInFull(rpc->request(), std::move(known)));
    SetPlaces(*places, rpc->request());
    SendAnswersOnRestart(*rpc, places);
    Run(call, BatchTimeout(request), rpc, Releasing(places, std::move(done)),
        [rpc, collector, meshes = meshes_] {
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
      absl::Status status = ResponseStatus(response.success(), response.error_message());
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
  static void DestroyElsewhere(const std::shared_ptr<Transport>& transport,
                               const std::shared_ptr<CallTracker>& tracker) {
    try {
      std::thread([transport, tracker] { tracker->AwaitEnd(); }).detach();
    } catch (const std::system_error&) {
      // No thread to be had: better never destroyed than from here.
      new std::shared_ptr<Transport>(transport);
    }
  }

  template <typename Request, typename Response>
  static std::shared_ptr<UnaryRpc<Request, Response>> Unary(
      void (AsyncStub::*method)(grpc::ClientContext*, const Request*, Response*,
                                std::function<void(grpc::Status)>),
      bool retryable = true) {
    return std::make_shared<UnaryRpc<Request, Response>>(method, retryable);
  }

  // Where answers of these sizes may be written. The first call that could use shared memory asks
  // for it, and does not wait.
  std::shared_ptr<AnswerPlaces> PlacesFor(const std::vector<size_t>& floats) {
    if (shares_memory_) {
      if (const std::shared_ptr<SharedRegion> region = answers_->Ask(floats)) AskForMemory(region);
    }
    return answers_->PlacesFor(floats);
  }

  void AskForMemory(const std::shared_ptr<SharedRegion>& region) {
    auto rpc = std::make_shared<ShareMemoryRpc>(
        &AsyncStub::ShareMemory, [region](const contract::SharedMemoryRegion& given) {
          return region->Open(given.region_id(), given.name(), given.size());
        });
    rpc->request().set_size(AnswerMemory::kRegionBytes);
    Attempt attempt;
    attempt.request_id = SharedRandom().RequestId();
    attempt.max_attempts = 1;
    attempt.idle = true;
    uint64_t id = 0;
    std::function<void()> end = tracker_->Begin(&id);
    std::function<void()> cancel = transport_->Start(
        std::move(rpc), std::move(attempt),
        [answers = answers_, region, end = std::move(end)](const absl::Status& status) {
          answers->Ended(region, status);
          end();
        });
    region->OnRetirement(cancel);
    tracker_->SetCancel(id, Cancellation(), std::move(cancel));
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
    // The callback may let go of this connection on another thread, before Start() has returned.
    std::shared_ptr<GrpcConnection> alive = shared_from_this();
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
    const CallbackScope scope;  // if it goes here, it must not wait for the callback
    alive.reset();
  }

  const absl::Duration timeout_;
  const int max_message_bytes_;
  const std::shared_ptr<KnownMeshes> meshes_;
  const bool shares_memory_;
  const std::shared_ptr<AnswerMemory> answers_ = std::make_shared<AnswerMemory>();
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
  channels.reserve(static_cast<size_t>(options.channels));
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

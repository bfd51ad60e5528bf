// SPDX-License-Identifier: Apache-2.0

#include "client/client.h"

#include <future>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "client/internal/call_tracker.h"

namespace blendwire {
namespace {

// Turns the callback form of a call into a future. `start` gets the callback to start it with.
template <typename Result, typename Start>
std::future<Result> Future(Start start) {
  std::promise<Result> promise;
  std::future<Result> future = promise.get_future();
  start([promise = std::move(promise)](Result result) mutable {
    promise.set_value(std::move(result));
  });
  return future;
}

// Refuses to wait where the answer might never come.
template <typename Result, typename Start>
Result Wait(Start start) {
  if (client::CallbackScope::Active()) {
    return absl::FailedPreconditionError(
        "a call that waits was made inside a callback of the client; use its asynchronous form");
  }
  return Future<Result>(std::move(start)).get();
}

}  // namespace

absl::StatusOr<Client> Client::Create(const ClientOptions& options) {
  absl::StatusOr<std::shared_ptr<Connection>> connection = MakeConnection(options);
  if (!connection.ok()) return connection.status();
  return Client(*std::move(connection));
}

Client::Client(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

absl::StatusOr<ServerHealth> Client::Health(const CallOptions& call) const {
  return Wait<absl::StatusOr<ServerHealth>>(
      [&](auto done) { connection_->Health(call, std::move(done)); });
}

std::future<absl::StatusOr<ServerHealth>> Client::HealthAsync(const CallOptions& call) const {
  return Future<absl::StatusOr<ServerHealth>>(
      [&](auto done) { connection_->Health(call, std::move(done)); });
}

void Client::HealthAsync(const CallOptions& call, Callback<ServerHealth> done) const {
  connection_->Health(call, std::move(done));
}

absl::StatusOr<Prediction> Client::Predict(const PredictRequest& request,
                                           const CallOptions& call) const {
  return Wait<absl::StatusOr<Prediction>>(
      [&](auto done) { connection_->Predict(request, call, std::move(done)); });
}

std::future<absl::StatusOr<Prediction>> Client::PredictAsync(const PredictRequest& request,
                                                             const CallOptions& call) const {
  return Future<absl::StatusOr<Prediction>>(
      [&](auto done) { connection_->Predict(request, call, std::move(done)); });
}

void Client::PredictAsync(const PredictRequest& request, const CallOptions& call,
                          Callback<Prediction> done) const {
  connection_->Predict(request, call, std::move(done));
}

absl::StatusOr<PredictionMetadata> Client::PredictInto(PredictRequest request,
                                                       absl::Span<float> offsets,
                                                       const CallOptions& call) const {
  if (offsets.empty() && !request.mesh.vertices.empty()) {
    return absl::InvalidArgumentError("offsets has no room, but must have as much as vertices");
  }
  request.output = offsets;
  absl::StatusOr<Prediction> prediction = Predict(request, call);
  if (!prediction.ok()) return prediction.status();
  return std::move(prediction->metadata);
}

absl::StatusOr<BatchResult> Client::PredictBatch(const BatchRequest& request,
                                                 const CallOptions& call) const {
  return Wait<absl::StatusOr<BatchResult>>(
      [&](auto done) { connection_->PredictBatch(request, call, std::move(done)); });
}

std::future<absl::StatusOr<BatchResult>> Client::PredictBatchAsync(const BatchRequest& request,
                                                                   const CallOptions& call) const {
  return Future<absl::StatusOr<BatchResult>>(
      [&](auto done) { connection_->PredictBatch(request, call, std::move(done)); });
}

void Client::PredictBatchAsync(const BatchRequest& request, const CallOptions& call,
                               Callback<BatchResult> done) const {
  connection_->PredictBatch(request, call, std::move(done));
}

absl::StatusOr<BatchResult> Client::PredictStream(const BatchRequest& request,
                                                  UpdateCallback on_update,
                                                  const CallOptions& call) const {
  return Wait<absl::StatusOr<BatchResult>>([&](auto done) {
    connection_->PredictStream(request, call, std::move(on_update), std::move(done));
  });
}

std::future<absl::StatusOr<BatchResult>> Client::PredictStreamAsync(
    const BatchRequest& request, UpdateCallback on_update, const CallOptions& call) const {
  return Future<absl::StatusOr<BatchResult>>([&](auto done) {
    connection_->PredictStream(request, call, std::move(on_update), std::move(done));
  });
}

void Client::PredictStreamAsync(const BatchRequest& request, UpdateCallback on_update,
                                const CallOptions& call, Callback<BatchResult> done) const {
  connection_->PredictStream(request, call, std::move(on_update), std::move(done));
}

absl::StatusOr<ServerStats> Client::Stats(bool reset, const CallOptions& call) const {
  return Wait<absl::StatusOr<ServerStats>>(
      [&](auto done) { connection_->Stats(reset, call, std::move(done)); });
}

std::future<absl::StatusOr<ServerStats>> Client::StatsAsync(bool reset,
                                                            const CallOptions& call) const {
  return Future<absl::StatusOr<ServerStats>>(
      [&](auto done) { connection_->Stats(reset, call, std::move(done)); });
}

void Client::StatsAsync(bool reset, const CallOptions& call, Callback<ServerStats> done) const {
  connection_->Stats(reset, call, std::move(done));
}

absl::StatusOr<LoadedModel> Client::LoadModel(const LoadModelRequest& request,
                                              const CallOptions& call) const {
  return Wait<absl::StatusOr<LoadedModel>>(
      [&](auto done) { connection_->LoadModel(request, call, std::move(done)); });
}

std::future<absl::StatusOr<LoadedModel>> Client::LoadModelAsync(const LoadModelRequest& request,
                                                                const CallOptions& call) const {
  return Future<absl::StatusOr<LoadedModel>>(
      [&](auto done) { connection_->LoadModel(request, call, std::move(done)); });
}

void Client::LoadModelAsync(const LoadModelRequest& request, const CallOptions& call,
                            Callback<LoadedModel> done) const {
  connection_->LoadModel(request, call, std::move(done));
}

absl::Status Client::UnloadModel(const std::string& name, const CallOptions& call) const {
  return Wait<absl::Status>(
      [&](auto done) { connection_->UnloadModel(name, call, std::move(done)); });
}

std::future<absl::Status> Client::UnloadModelAsync(const std::string& name,
                                                   const CallOptions& call) const {
  return Future<absl::Status>(
      [&](auto done) { connection_->UnloadModel(name, call, std::move(done)); });
}

void Client::UnloadModelAsync(const std::string& name, const CallOptions& call,
                              StatusCallback done) const {
  connection_->UnloadModel(name, call, std::move(done));
}

absl::StatusOr<std::vector<ModelInfo>> Client::ListModels(const CallOptions& call) const {
  return Wait<absl::StatusOr<std::vector<ModelInfo>>>(
      [&](auto done) { connection_->ListModels(call, std::move(done)); });
}

std::future<absl::StatusOr<std::vector<ModelInfo>>> Client::ListModelsAsync(
    const CallOptions& call) const {
  return Future<absl::StatusOr<std::vector<ModelInfo>>>(
      [&](auto done) { connection_->ListModels(call, std::move(done)); });
}

void Client::ListModelsAsync(const CallOptions& call,
                             Callback<std::vector<ModelInfo>> done) const {
  connection_->ListModels(call, std::move(done));
}

}  // namespace blendwire

// SPDX-License-Identifier: Apache-2.0
//
// The client of a Blendwire server.
//
//   auto client = blendwire::Client::Create({});
//   if (!client.ok()) return client.status();
//   blendwire::PredictRequest request;
//   request.mesh = {vertices, triangles};
//   request.expression.name = "aa";
//   absl::StatusOr<blendwire::Prediction> prediction = client->Predict(request);
//
// Errors are the server's own: the same canonical code and the same message (docs/errors.md has the
// table); UNAVAILABLE also names the server's address. From the client itself come UNAVAILABLE (no
// server there or the connection lost, after all retries), DEADLINE_EXCEEDED, CANCELLED,
// RESOURCE_EXHAUSTED (a message over max_message_bytes) and INVALID_ARGUMENT for an output buffer
// of the wrong size.
//
// Each call has three forms: one that waits, one that returns a future, and one that takes a
// callback. A form that waits must not be used inside a callback.

#ifndef BLENDWIRE_CLIENT_CLIENT_H_
#define BLENDWIRE_CLIENT_CLIENT_H_

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/connection.h"
#include "client/options.h"
#include "client/types.h"

namespace blendwire {

// Safe for use from several threads at once. Copies share their connections, so copying is cheap;
// a moved-from client may only be assigned to or destroyed.
class Client {
 public:
  // Opens nothing yet: a server that is not there shows as UNAVAILABLE at the first call.
  // INVALID_ARGUMENT for options that cannot be right.
  static absl::StatusOr<Client> Create(const ClientOptions& options);

  // For tests, with a MockConnection; not null.
  explicit Client(std::shared_ptr<Connection> connection);

  absl::StatusOr<ServerHealth> Health(const CallOptions& call = {}) const;
  std::future<absl::StatusOr<ServerHealth>> HealthAsync(const CallOptions& call = {}) const;
  void HealthAsync(const CallOptions& call, Callback<ServerHealth> done) const;

  absl::StatusOr<Prediction> Predict(const PredictRequest& request,
                                     const CallOptions& call = {}) const;
  std::future<absl::StatusOr<Prediction>> PredictAsync(const PredictRequest& request,
                                                       const CallOptions& call = {}) const;
  void PredictAsync(const PredictRequest& request, const CallOptions& call,
                    Callback<Prediction> done) const;

  // Writes the offsets into `offsets`, which has as many floats as request.mesh.vertices.
  absl::StatusOr<PredictionMetadata> PredictInto(PredictRequest request, absl::Span<float> offsets,
                                                 const CallOptions& call = {}) const;

  // Fails as a whole only if the call does; an item's own failure stands in its place.
  absl::StatusOr<BatchResult> PredictBatch(const BatchRequest& request,
                                           const CallOptions& call = {}) const;
  std::future<absl::StatusOr<BatchResult>> PredictBatchAsync(const BatchRequest& request,
                                                             const CallOptions& call = {}) const;
  void PredictBatchAsync(const BatchRequest& request, const CallOptions& call,
                         Callback<BatchResult> done) const;

  // As PredictBatch, with each item reported as soon as it is done. To stop half-way, cancel
  // call.cancellation (also from within on_update): the server drops what is left, and the call
  // ends with CANCELLED. Items that were reported before stay valid.
  absl::StatusOr<BatchResult> PredictStream(const BatchRequest& request, UpdateCallback on_update,
                                            const CallOptions& call = {}) const;
  std::future<absl::StatusOr<BatchResult>> PredictStreamAsync(const BatchRequest& request,
                                                              UpdateCallback on_update,
                                                              const CallOptions& call = {}) const;
  void PredictStreamAsync(const BatchRequest& request, UpdateCallback on_update,
                          const CallOptions& call, Callback<BatchResult> done) const;

  // With `reset`, the server counts anew after this answer.
  absl::StatusOr<ServerStats> Stats(bool reset = false, const CallOptions& call = {}) const;
  std::future<absl::StatusOr<ServerStats>> StatsAsync(bool reset = false,
                                                      const CallOptions& call = {}) const;
  void StatsAsync(bool reset, const CallOptions& call, Callback<ServerStats> done) const;

  absl::StatusOr<LoadedModel> LoadModel(const LoadModelRequest& request,
                                        const CallOptions& call = {}) const;
  std::future<absl::StatusOr<LoadedModel>> LoadModelAsync(const LoadModelRequest& request,
                                                          const CallOptions& call = {}) const;
  void LoadModelAsync(const LoadModelRequest& request, const CallOptions& call,
                      Callback<LoadedModel> done) const;

  // An empty name means "default".
  absl::Status UnloadModel(const std::string& name, const CallOptions& call = {}) const;
  std::future<absl::Status> UnloadModelAsync(const std::string& name,
                                             const CallOptions& call = {}) const;
  void UnloadModelAsync(const std::string& name, const CallOptions& call,
                        StatusCallback done) const;

  absl::StatusOr<std::vector<ModelInfo>> ListModels(const CallOptions& call = {}) const;
  std::future<absl::StatusOr<std::vector<ModelInfo>>> ListModelsAsync(
      const CallOptions& call = {}) const;
  void ListModelsAsync(const CallOptions& call, Callback<std::vector<ModelInfo>> done) const;

 private:
  std::shared_ptr<Connection> connection_;
};

}  // namespace blendwire

#endif  // BLENDWIRE_CLIENT_CLIENT_H_

// SPDX-License-Identifier: Apache-2.0
//
// What a Client stands on. A program's own tests replace it with MockConnection
// (client/testing/mock_connection.h) and need no server, no gRPC and no protobuf.

#ifndef BLENDWIRE_CLIENT_CONNECTION_H_
#define BLENDWIRE_CLIENT_CONNECTION_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/options.h"
#include "client/types.h"

namespace blendwire {

// Receives the outcome of an asynchronous call, exactly once, on a thread of the client's own or,
// when the call fails at once, on the caller's. It must not block and must not throw.
template <typename T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;
using StatusCallback = absl::AnyInvocable<void(absl::Status)>;

// Receives each finished item of PredictStream, one at a time, before the call's own callback; on a
// thread of the client's own. It must not block for long and must not throw.
using UpdateCallback = std::function<void(const BatchUpdate&)>;

// Every call is asynchronous here: the sync and future forms of Client are made from it. An
// implementation must be safe for use from several threads at once, must have copied all it needs
// from the request (PredictRequest::output and BatchItem::output excepted, which it may write to
// until the callback is called) when a method returns, and must call each callback exactly once.
class Connection {
 public:
  virtual ~Connection() = default;

  virtual void Health(const CallOptions& call, Callback<ServerHealth> done) = 0;
  virtual void Predict(const PredictRequest& request, const CallOptions& call,
                       Callback<Prediction> done) = 0;
  virtual void PredictBatch(const BatchRequest& request, const CallOptions& call,
                            Callback<BatchResult> done) = 0;
  virtual void PredictStream(const BatchRequest& request, const CallOptions& call,
                             UpdateCallback on_update, Callback<BatchResult> done) = 0;
  virtual void Stats(bool reset, const CallOptions& call, Callback<ServerStats> done) = 0;
  virtual void LoadModel(const LoadModelRequest& request, const CallOptions& call,
                         Callback<LoadedModel> done) = 0;
  virtual void UnloadModel(const std::string& name, const CallOptions& call,
                           StatusCallback done) = 0;
  virtual void ListModels(const CallOptions& call, Callback<std::vector<ModelInfo>> done) = 0;
};

// A connection to a real server. Nothing is sent before the first call. INVALID_ARGUMENT for options
// that cannot be right. When the last reference goes, running calls are cancelled and waited for
// (only cancelled when that happens inside a callback).
absl::StatusOr<std::shared_ptr<Connection>> MakeConnection(const ClientOptions& options);

}  // namespace blendwire

#endif  // BLENDWIRE_CLIENT_CONNECTION_H_

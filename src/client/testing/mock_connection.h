// SPDX-License-Identifier: Apache-2.0
//
// A connection made of expectations, for the tests of programs that use the client:
//
//   auto mock = std::make_shared<blendwire::testing::MockConnection>();
//   EXPECT_CALL(*mock, Health).WillOnce([](auto&, auto done) {
//     done(blendwire::ServerHealth{blendwire::ServingStatus::kServing, "ready", {}});
//   });
//   blendwire::Client client(mock);

#ifndef BLENDWIRE_CLIENT_TESTING_MOCK_CONNECTION_H_
#define BLENDWIRE_CLIENT_TESTING_MOCK_CONNECTION_H_

#include <string>
#include <vector>

#include "client/connection.h"
#include "gmock/gmock.h"

namespace blendwire::testing {

class MockConnection : public Connection {
 public:
  MOCK_METHOD(void, Health, (const CallOptions& call, Callback<ServerHealth> done), (override));
  MOCK_METHOD(void, Predict,
              (const PredictRequest& request, const CallOptions& call, Callback<Prediction> done),
              (override));
  MOCK_METHOD(void, PredictBatch,
              (const BatchRequest& request, const CallOptions& call, Callback<BatchResult> done),
              (override));
  MOCK_METHOD(void, PredictStream,
              (const BatchRequest& request, const CallOptions& call, UpdateCallback on_update,
               Callback<BatchResult> done),
              (override));
  MOCK_METHOD(void, Stats, (bool reset, const CallOptions& call, Callback<ServerStats> done),
              (override));
  MOCK_METHOD(void, LoadModel,
              (const LoadModelRequest& request, const CallOptions& call,
               Callback<LoadedModel> done),
              (override));
  MOCK_METHOD(void, UnloadModel,
              (const std::string& name, const CallOptions& call, StatusCallback done), (override));
  MOCK_METHOD(void, ListModels,
              (const CallOptions& call, Callback<std::vector<ModelInfo>> done), (override));
};

}  // namespace blendwire::testing

#endif  // BLENDWIRE_CLIENT_TESTING_MOCK_CONNECTION_H_

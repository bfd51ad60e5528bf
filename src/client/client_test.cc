// SPDX-License-Identifier: Apache-2.0
//
// The three forms of a call, on a mock: what a program's own tests look like, too.

#include "client/client.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/testing/mock_connection.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire {
namespace {

using ::blendwire::testing::MockConnection;
using ::testing::_;

TEST(ClientTest, TheWaitingFormReturnsWhatTheCallbackGets) {
  auto mock = std::make_shared<MockConnection>();
  EXPECT_CALL(*mock, Health).WillOnce([](const auto& call, auto done) {
    EXPECT_EQ(call.request_id, "a");
    std::thread([done = std::move(done)]() mutable {
      done(ServerHealth{ServingStatus::kServing, "ready", {}});
    }).detach();
  });
  const Client client(mock);
  CallOptions call;
  call.request_id = "a";
  const auto health = client.Health(call);
  ASSERT_TRUE(health.ok());
  EXPECT_TRUE(health->serving());
  EXPECT_EQ(health->message, "ready");
}

TEST(ClientTest, ErrorsPassThrough) {
  auto mock = std::make_shared<MockConnection>();
  EXPECT_CALL(*mock, UnloadModel("x", _, _))
      .Times(2)
      .WillRepeatedly([](const auto&, const auto&, auto done) {
        done(absl::NotFoundError("no model \"x\""));
      });
  EXPECT_CALL(*mock, ListModels).WillOnce([](const auto&, auto done) {
    done(absl::UnavailableError("gone"));
  });
  const Client client(mock);
  EXPECT_EQ(client.UnloadModel("x"), absl::NotFoundError("no model \"x\""));
  EXPECT_EQ(client.UnloadModelAsync("x").get(), absl::NotFoundError("no model \"x\""));
  EXPECT_EQ(client.ListModels().status(), absl::UnavailableError("gone"));
}

TEST(ClientTest, TheFutureFormDoesNotWait) {
  auto mock = std::make_shared<MockConnection>();
  Callback<ServerStats> pending;
  EXPECT_CALL(*mock, Stats(true, _, _)).WillOnce([&](bool, const auto&, auto done) {
    pending = std::move(done);
  });
  const Client client(mock);
  auto future = client.StatsAsync(true);
  EXPECT_EQ(future.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  ServerStats stats;
  stats.total_requests = 7;
  pending(stats);
  EXPECT_EQ(future.get()->total_requests, 7);
}

TEST(ClientTest, PredictIntoNamesTheBuffer) {
  auto mock = std::make_shared<MockConnection>();
  EXPECT_CALL(*mock, Predict).WillOnce([](const auto& request, const auto&, auto done) {
    for (float& value : request.output) value = 2.0f;
    Prediction prediction;
    prediction.metadata.model_version = "v";
    done(prediction);
  });
  const Client client(mock);
  const std::vector<float> vertices(6, 1.0f);
  std::vector<float> offsets(6);
  PredictRequest request;
  request.mesh.vertices = vertices;
  const auto metadata = client.PredictInto(request, absl::MakeSpan(offsets));
  ASSERT_TRUE(metadata.ok());
  EXPECT_EQ(metadata->model_version, "v");
  EXPECT_EQ(offsets, std::vector<float>(6, 2.0f));
  EXPECT_EQ(client.PredictInto(request, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ClientTest, CopiesShareTheConnection) {
  auto mock = std::make_shared<MockConnection>();
  EXPECT_CALL(*mock, LoadModel).Times(2).WillRepeatedly([](const auto&, const auto&, auto done) {
    done(LoadedModel{"v1"});
  });
  const Client client(mock);
  Client copy = client;
  const Client moved = std::move(copy);
  EXPECT_EQ(client.LoadModel({})->version, "v1");
  EXPECT_EQ(moved.LoadModelAsync({}).get()->version, "v1");
}

TEST(ClientTest, CreateRefusesOptionsThatCannotBeRight) {
  ClientOptions options;
  options.address = "192.168.1.2:50051";
  EXPECT_EQ(Client::Create(options).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace blendwire

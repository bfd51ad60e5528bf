// SPDX-License-Identifier: Apache-2.0
//
// What the client promises about the connection: separate ones, the token, large messages, no
// proxy, and every form of address.

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "client/client.h"
#include "client/testing/connections.h"
#include "client/testing/fake_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire {
namespace {

using testing::Batch;
using testing::Connect;
using testing::DeadAddress;
using testing::FakeServer;
using testing::FakeService;
using testing::Gate;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using testing::WithoutRetries;

TEST(PoolTest, CallsThatOverlapUseSeparateConnections) {
  FakeService service;
  Gate gate;
  service.before = [&](auto& context, auto&) { return gate.Wait(context); };
  const FakeServer server(service);
  ClientOptions options;
  options.channels = 3;
  const Client client = Connect(server.address(), options);
  std::vector<std::future<absl::StatusOr<ServerHealth>>> calls;
  for (int i = 0; i < 6; ++i) calls.push_back(client.HealthAsync());
  gate.AwaitWaiting(6);
  gate.Open();
  for (auto& call : calls) EXPECT_TRUE(call.get().ok());
  std::multiset<std::string> peers;
  for (const auto& seen : service.Seen()) peers.insert(seen.peer);
  EXPECT_EQ((std::set<std::string>(peers.begin(), peers.end()).size()), 3u);
  for (const auto& peer : peers) EXPECT_EQ(peers.count(peer), 2u) << peer;
}

TEST(PoolTest, TwoClientsDoNotShareAConnection) {
  FakeService service;
  const FakeServer server(service);
  const Client first = Connect(server.address());
  const Client second = Connect(server.address());
  ASSERT_TRUE(first.Health().ok());
  ASSERT_TRUE(first.Health().ok());
  ASSERT_TRUE(second.Health().ok());
  const auto seen = service.Seen();
  EXPECT_EQ(seen[0].peer, seen[1].peer);
  EXPECT_NE(seen[0].peer, seen[2].peer);
}

TEST(MetadataTest, TheTokenAndTheRequestIdTravelWithEveryMethod) {
  FakeService service;
  const FakeServer server(service);
  ClientOptions options;
  options.token = "0123456789abcdef";
  const Client client = Connect(server.address(), options);
  CallOptions call;
  call.request_id = "my id";
  const std::vector<float> vertices(3);
  PredictRequest request;
  request.mesh.vertices = vertices;
  EXPECT_TRUE(client.Health(call).ok());
  EXPECT_TRUE(client.Predict(request, call).ok());
  EXPECT_TRUE(client.PredictBatch(Batch(vertices, 1), call).ok());
  EXPECT_TRUE(client.PredictStream(Batch(vertices, 1), nullptr, call).ok());
  EXPECT_TRUE(client.Stats(false, call).ok());
  EXPECT_TRUE(client.LoadModel({"a.onnx", "", {}}, call).ok());
  EXPECT_TRUE(client.UnloadModel("", call).ok());
  EXPECT_TRUE(client.ListModels(call).ok());
  const auto seen = service.Seen();
  ASSERT_THAT(seen, SizeIs(8));
  std::set<std::string> methods;
  for (const auto& one : seen) {
    methods.insert(one.method);
    EXPECT_EQ(one.metadata.at("authorization"), "Bearer 0123456789abcdef");
    EXPECT_EQ(one.metadata.at("x-request-id"), "my id");
  }
  EXPECT_THAT(methods, SizeIs(8));
}

TEST(MetadataTest, WithoutATokenNoneIsSent) {
  FakeService service;
  const FakeServer server(service);
  ASSERT_TRUE(Connect(server.address()).Health().ok());
  EXPECT_EQ(service.Seen()[0].metadata.count("authorization"), 0u);
}

TEST(MetadataTest, ARequestIdThatCannotTravelIsRefused) {
  FakeService service;
  const FakeServer server(service);
  const Client client = Connect(server.address());
  CallOptions call;
  call.request_id = "line\nbreak";
  EXPECT_EQ(client.Health(call).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(service.Seen(), IsEmpty());
}

TEST(MessageSizeTest, LargeMeshesAndAnswersPass) {
  FakeService service;
  const FakeServer server(service);
  const Client client = Connect(server.address());
  // 1.2 million floats each way, 4.8 MB: over gRPC's default limit of 4 MiB.
  std::vector<float> vertices(1'200'000);
  for (size_t i = 0; i < vertices.size(); ++i) vertices[i] = static_cast<float>(i);
  PredictRequest request;
  request.mesh.vertices = vertices;
  const auto prediction = client.Predict(request);
  ASSERT_TRUE(prediction.ok()) << prediction.status();
  EXPECT_EQ(prediction->offsets, vertices);
  // 52 shapes of 10,000 vertices.
  const std::vector<float> face(30'000, 0.5f);
  const auto batch = client.PredictBatch(Batch(face, 52));
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_EQ(batch->items[51]->offsets, face);
}

TEST(MessageSizeTest, BeyondTheLimitIsRefusedEitherWay) {
  FakeService service;
  const FakeServer server(service);
  ClientOptions options;
  options.max_message_bytes = 1 << 20;
  const Client client = Connect(server.address(), options);
  const std::vector<float> vertices(300'000);
  PredictRequest request;
  request.mesh.vertices = vertices;
  const auto too_large = client.Predict(request);
  EXPECT_EQ(too_large.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(too_large.status().message(), HasSubstr("max_message_bytes is 1048576"));
  EXPECT_THAT(service.Seen(), IsEmpty());
  const auto answer_too_large = client.PredictBatch(Batch(std::vector<float>(30'000), 20));
  EXPECT_EQ(answer_too_large.status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(ProxyTest, TheEnvironmentsProxyIsIgnored) {
  FakeService service;
  const FakeServer server(service);
  const std::string proxy = "http://" + DeadAddress();
  for (const char* name : {"http_proxy", "https_proxy", "grpc_proxy"}) {
    setenv(name, proxy.c_str(), 1);
  }
  const auto health = Connect(server.address(), WithoutRetries()).Health();
  for (const char* name : {"http_proxy", "https_proxy", "grpc_proxy"}) unsetenv(name);
  EXPECT_TRUE(health.ok()) << health.status();
}

TEST(AddressTest, AllFormsReachTheServer) {
  FakeService service;
  const FakeServer tcp(service);
  const std::string port = tcp.address().substr(tcp.address().rfind(':'));
  EXPECT_TRUE(Connect("localhost" + port, WithoutRetries()).Health().ok());

  const std::filesystem::path socket =
      std::filesystem::path(::testing::TempDir()) / "blendwire client %41 test.sock";
  std::filesystem::remove(socket);
  const FakeServer unix_server(service, "unix:" + (std::filesystem::path(::testing::TempDir()) /
                                                   "blendwire%20client%20%2541%20test.sock")
                                                      .string());
  ASSERT_TRUE(unix_server.started());
  const auto health = Connect("unix:" + socket.string(), WithoutRetries()).Health();
  EXPECT_TRUE(health.ok()) << health.status();

  const FakeServer ipv6(service, "[::1]:0");
  if (!ipv6.started()) GTEST_SKIP() << "this machine has no IPv6";
  const auto over_ipv6 = Connect(ipv6.address(), WithoutRetries()).Health();
  EXPECT_TRUE(over_ipv6.ok()) << over_ipv6.status();
}

}  // namespace
}  // namespace blendwire

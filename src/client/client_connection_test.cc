// SPDX-License-Identifier: Apache-2.0
//
// What the client promises about the connection: deadlines, retries, reconnecting, separate
// connections, the token, cancelling, large messages, many threads, and a clean end.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "client/client.h"
#include "client/internal/grpc_connection.h"
#include "client/testing/fake_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire {
namespace {

using testing::FakeServer;
using testing::FakeService;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Nobody listens there: the port was free a moment ago.
std::string DeadAddress() {
  FakeService service;
  FakeServer server(service);
  return server.address();
}

Client Connect(const std::string& address, const ClientOptions& base = {}) {
  ClientOptions options = base;
  options.address = address;
  return Client::Create(options).value();
}

ClientOptions WithoutRetries() {
  ClientOptions options;
  options.retry.max_attempts = 1;
  return options;
}

BatchRequest Batch(const std::vector<float>& vertices, size_t items) {
  BatchRequest request;
  request.mesh.vertices = vertices;
  request.items.resize(items);
  for (BatchItem& item : request.items) item.expression.name = "aa";
  return request;
}

// Holds calls on the server until it is opened, or until they are cancelled.
class Gate {
 public:
  grpc::Status Wait(const grpc::ServerContext& context) {
    ++waiting_;
    while (!open_ && !context.IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    --waiting_;
    return context.IsCancelled() ? grpc::Status(grpc::CANCELLED, "") : grpc::Status::OK;
  }
  void Open() { open_ = true; }
  int waiting() const { return waiting_; }
  void AwaitWaiting(int count) const {
    while (waiting_ != count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

 private:
  std::atomic<bool> open_ = false;
  std::atomic<int> waiting_ = 0;
};

TEST(DeadlineTest, EveryCallHasOne) {
  FakeService service;
  const FakeServer server(service);
  ClientOptions options;
  options.timeout = absl::Seconds(12);
  const Client client = Connect(server.address(), options);
  const std::vector<float> vertices(3);
  ASSERT_TRUE(client.Health().ok());
  ASSERT_TRUE(client.PredictBatch(Batch(vertices, 5)).ok());
  CallOptions call;
  call.timeout = absl::Seconds(3);
  ASSERT_TRUE(client.PredictStream(Batch(vertices, 5), nullptr, call).ok());
  const auto seen = service.Seen();
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_NEAR(absl::ToDoubleSeconds(seen[0].time_left), 12.0, 1.5);
  EXPECT_NEAR(absl::ToDoubleSeconds(seen[1].time_left), 60.0, 1.5) << "for each of five items";
  EXPECT_NEAR(absl::ToDoubleSeconds(seen[2].time_left), 3.0, 1.5) << "the call's own";
}

TEST(DeadlineTest, ACallThatHangsEndsInTime) {
  FakeService service;
  Gate gate;
  service.before = [&](auto& context, auto&) { return gate.Wait(context); };
  const FakeServer server(service);
  const Client client = Connect(server.address());
  CallOptions call;
  call.timeout = absl::Milliseconds(200);
  const absl::Time before = absl::Now();
  EXPECT_EQ(client.Health(call).status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
}

TEST(DeadlineTest, AStreamThatHangsEndsInTime) {
  FakeService service;
  Gate gate;
  service.before_item = [&](auto& context, int) { return gate.Wait(context); };
  const FakeServer server(service);
  const Client client = Connect(server.address());
  CallOptions call;
  call.timeout = absl::Milliseconds(200);
  const std::vector<float> vertices(3);
  EXPECT_EQ(client.PredictStream(Batch(vertices, 2), nullptr, call).status().code(),
            absl::StatusCode::kDeadlineExceeded);
}

// UNAVAILABLE says which server it is about.
absl::Status UnavailableAt(const std::string& address, const std::string& message) {
  return absl::UnavailableError(absl::StrCat("the server at ", address, ": ", message));
}

TEST(RetryTest, UnavailableIsTriedAgainWithTheSameRequestId) {
  FakeService service;
  std::atomic<int> calls = 0;
  service.before = [&](auto&, auto&) {
    return ++calls < 3 ? grpc::Status(grpc::UNAVAILABLE, "shutting down") : grpc::Status::OK;
  };
  const FakeServer server(service);
  // A deadline travels rounded to three digits: the waits must be longer than what that can hide.
  ClientOptions options;
  options.timeout = absl::Seconds(2);
  options.retry.initial_backoff = absl::Milliseconds(50);
  options.retry.jitter = 0.0;
  const Client client = Connect(server.address(), options);
  EXPECT_TRUE(client.Health().ok());
  const auto seen = service.Seen();
  ASSERT_THAT(seen, SizeIs(3));
  EXPECT_EQ(seen[0].metadata.at("x-request-id").size(), 16u);
  EXPECT_EQ(seen[0].metadata.at("x-request-id"), seen[2].metadata.at("x-request-id"));
  EXPECT_LT(seen[2].time_left, seen[0].time_left - absl::Milliseconds(100))
      << "one deadline for all tries";
}

// What gRPC says of a call that a server has not looked at before it stopped listening.
TEST(RetryTest, ACancelThatNobodyAskedForIsTriedAgain) {
  FakeService service;
  std::atomic<int> calls = 0;
  service.before = [&](auto&, auto&) {
    return ++calls == 1 ? grpc::Status(grpc::CANCELLED, "CANCELLED") : grpc::Status::OK;
  };
  const FakeServer server(service);
  EXPECT_TRUE(Connect(server.address()).Health().ok());
  EXPECT_EQ(calls, 2);

  calls = 0;
  EXPECT_EQ(Connect(server.address(), WithoutRetries()).Health().status(),
            UnavailableAt(server.address(), "it cancelled the call, as it does when it shuts down"));
}

TEST(RetryTest, WhatChangesTheServerIsNotRepeated) {
  FakeService service;
  service.before = [&](auto&, auto&) { return grpc::Status(grpc::UNAVAILABLE, "no"); };
  const FakeServer server(service);
  ClientOptions options;
  options.retry.initial_backoff = absl::Milliseconds(1);
  options.retry.max_attempts = 3;
  const Client client = Connect(server.address(), options);
  EXPECT_EQ(client.UnloadModel("x"), UnavailableAt(server.address(), "no"));
  EXPECT_THAT(service.Seen(), SizeIs(1));
  EXPECT_EQ(client.Stats(/*reset=*/true).status(), UnavailableAt(server.address(), "no"));
  EXPECT_THAT(service.Seen(), SizeIs(2));
  EXPECT_EQ(client.Stats(/*reset=*/false).status(), UnavailableAt(server.address(), "no"));
  EXPECT_THAT(service.Seen(), SizeIs(5));
}

TEST(RetryTest, AStreamIsNotRepeatedOnceAnItemHasArrived) {
  FakeService service;
  std::atomic<int> streams = 0;
  service.before = [&](auto&, auto&) {
    return ++streams == 1 ? grpc::Status(grpc::UNAVAILABLE, "early") : grpc::Status::OK;
  };
  service.before_item = [](auto&, int index) {
    return index == 0 ? grpc::Status(grpc::UNAVAILABLE, "late") : grpc::Status::OK;
  };
  const FakeServer server(service);
  ClientOptions options;
  options.retry.initial_backoff = absl::Milliseconds(1);
  const Client client = Connect(server.address(), options);
  const std::vector<float> vertices(3);
  int updates = 0;
  const auto result =
      client.PredictStream(Batch(vertices, 3), [&](const BatchUpdate&) { ++updates; });
  EXPECT_EQ(result.status(), UnavailableAt(server.address(), "late"));
  EXPECT_EQ(updates, 2);
  EXPECT_EQ(streams, 2);
}

TEST(RetryTest, ACallCanHaveItsOwnNumberOfTries) {
  FakeService service;
  service.before = [](auto&, auto&) { return grpc::Status(grpc::UNAVAILABLE, "no"); };
  const FakeServer server(service);
  ClientOptions options;
  options.retry.initial_backoff = absl::Milliseconds(1);
  const Client client = Connect(server.address(), options);
  CallOptions call;
  call.max_attempts = 1;
  EXPECT_EQ(client.Health(call).status(), UnavailableAt(server.address(), "no"));
  EXPECT_THAT(service.Seen(), SizeIs(1));
  call.max_attempts = 8;  // more than the client's own 6
  EXPECT_EQ(client.Health(call).status(), UnavailableAt(server.address(), "no"));
  EXPECT_THAT(service.Seen(), SizeIs(9));
  call.max_attempts = 0;
  EXPECT_EQ(client.Health(call).status(),
            absl::InvalidArgumentError("max_attempts is 0, but must be at least 1"));
}

TEST(RetryTest, NobodyThereIsUnavailableAfterAllTries) {
  ClientOptions options;
  options.retry.initial_backoff = absl::Milliseconds(20);
  options.retry.max_attempts = 3;
  options.retry.jitter = 0.0;
  const Client client = Connect(DeadAddress(), options);
  const absl::Time before = absl::Now();
  EXPECT_EQ(client.Health().status().code(), absl::StatusCode::kUnavailable);
  EXPECT_GE(absl::Now() - before, absl::Milliseconds(60));
  EXPECT_LT(absl::Now() - before, absl::Seconds(10));
}

TEST(ReconnectTest, ACallWaitsForAServerThatIsBeingRestarted) {
  FakeService service;
  auto server = std::make_unique<FakeServer>(service);
  const std::string address = server->address();
  const Client client = Connect(address);
  ASSERT_TRUE(client.Health().ok());
  for (int restart = 0; restart < 3; ++restart) {
    server.reset();
    auto future = client.HealthAsync();
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    server = std::make_unique<FakeServer>(service, address);
    ASSERT_TRUE(server->started());
    const auto health = future.get();
    EXPECT_TRUE(health.ok()) << health.status();
  }
}

TEST(ReconnectTest, NoCallIsLostWhileTheServerIsRestartedAgainAndAgain) {
  FakeService service;
  auto server = std::make_unique<FakeServer>(service);
  const std::string address = server->address();
  const Client client = Connect(address);
  std::atomic<bool> stop = false;
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i) {
    callers.emplace_back([&] {
      while (!stop) {
        const absl::Status status = client.Health().status();
        EXPECT_TRUE(status.ok()) << status;
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    server.reset();
    server = std::make_unique<FakeServer>(service, address);
    ASSERT_TRUE(server->started());
  }
  stop = true;
  for (std::thread& caller : callers) caller.join();
}

TEST(ReconnectTest, ItIsBackSoonAfterALongAbsence) {
  FakeService service;
  auto server = std::make_unique<FakeServer>(service);
  const std::string address = server->address();
  const Client client = Connect(address, WithoutRetries());
  ASSERT_TRUE(client.Health().ok());
  server.reset();
  const absl::Time gone = absl::Now();
  while (absl::Now() - gone < absl::Seconds(4)) {  // gRPC's own pause would grow past this
    EXPECT_EQ(client.Health().status().code(), absl::StatusCode::kUnavailable);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  server = std::make_unique<FakeServer>(service, address);
  ASSERT_TRUE(server->started());
  const absl::Time back = absl::Now();
  while (!client.Health().ok()) {
    ASSERT_LT(absl::Now() - back, absl::Seconds(3));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

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

TEST(CancelTest, ARunningCallEndsAndTheServerIsTold) {
  FakeService service;
  Gate gate;
  service.before = [&](auto& context, auto&) { return gate.Wait(context); };
  const FakeServer server(service);
  const Client client = Connect(server.address());
  const CallOptions call;
  auto first = client.HealthAsync(call);
  auto second = client.HealthAsync(call);
  auto other = client.HealthAsync();
  gate.AwaitWaiting(3);
  call.cancellation.Cancel();
  EXPECT_EQ(first.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(second.get().status().code(), absl::StatusCode::kCancelled);
  gate.AwaitWaiting(1);
  gate.Open();
  EXPECT_TRUE(other.get().ok());
  // The switch stays thrown.
  EXPECT_EQ(client.Health(call).status().code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(service.Seen(), SizeIs(3));
}

TEST(CancelTest, AStreamStopsHalfWay) {
  FakeService service;
  std::atomic<int> sent = 0;
  std::atomic<bool> server_saw_it = false;
  service.before_item = [&](auto& context, int) {
    ++sent;
    for (int i = 0; sent > 2 && i < 5000; ++i) {  // long work, given up when cancelled
      if (context.IsCancelled()) {
        server_saw_it = true;
        return grpc::Status(grpc::CANCELLED, "");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return grpc::Status::OK;
  };
  FakeServer server(service);
  const Client client = Connect(server.address());
  const std::vector<float> vertices(3);
  const CallOptions call;
  std::atomic<int> updates = 0;
  const auto result = client.PredictStream(
      Batch(vertices, 50),
      [&](const BatchUpdate&) {
        if (++updates == 2) call.cancellation.Cancel();
      },
      call);
  EXPECT_EQ(result.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(updates, 2);
  server.Stop();
  EXPECT_TRUE(server_saw_it);
  EXPECT_EQ(sent, 3);
}

TEST(CancelTest, AWaitBetweenTriesEnds) {
  ClientOptions options;
  options.retry.initial_backoff = absl::Seconds(20);
  options.retry.max_backoff = absl::Seconds(20);
  options.retry.max_total_time = absl::Seconds(60);
  options.timeout = absl::Seconds(60);
  const Client client = Connect(DeadAddress(), options);
  const CallOptions call;
  const absl::Time before = absl::Now();
  auto future = client.HealthAsync(call);
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  call.cancellation.Cancel();
  EXPECT_EQ(future.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
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

// BLENDWIRE_STRESS_SECONDS=60 in the environment makes it a stress test, for ThreadSanitizer above
// all.
TEST(ThreadsTest, SixteenThreadsHammerOneClient) {
  const char* const seconds = std::getenv("BLENDWIRE_STRESS_SECONDS");
  const absl::Time end = absl::Now() + absl::Seconds(seconds == nullptr ? 0 : std::atoi(seconds));
  FakeService service;
  const FakeServer server(service);
  const Client client = Connect(server.address());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40 || absl::Now() < end; ++i) {
        const std::vector<float> vertices(300, static_cast<float>(t * 1000 + i));
        PredictRequest request;
        request.mesh.vertices = vertices;
        std::vector<float> offsets(300);
        if (i % 4 == 3) {
          const auto batch = client.PredictStream(Batch(vertices, 3), nullptr);
          if (!batch.ok() || batch->items[2]->offsets != vertices) ++wrong;
        } else if (!client.PredictInto(request, absl::MakeSpan(offsets)).ok() ||
                   offsets != vertices) {
          ++wrong;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(LifetimeTest, DestroyingAClientEndsItsCalls) {
  FakeService service;
  Gate gate;
  service.before = [&](auto& context, auto&) { return gate.Wait(context); };
  const FakeServer server(service);
  std::optional<Client> client = Connect(server.address());
  std::vector<std::future<absl::StatusOr<ServerHealth>>> calls;
  for (int i = 0; i < 8; ++i) calls.push_back(client->HealthAsync());
  gate.AwaitWaiting(8);
  client.reset();
  for (auto& call : calls) {
    ASSERT_EQ(call.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_EQ(call.get().status().code(), absl::StatusCode::kCancelled);
  }
}

TEST(LifetimeTest, DestroyingAClientEndsItsWaits) {
  ClientOptions options;
  options.retry.initial_backoff = absl::Seconds(20);
  options.retry.max_backoff = absl::Seconds(20);
  options.retry.max_total_time = absl::Seconds(60);
  std::optional<Client> client = Connect(DeadAddress(), options);
  auto call = client->HealthAsync();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  client.reset();
  EXPECT_EQ(call.get().status().code(), absl::StatusCode::kCancelled);
}

TEST(LifetimeTest, AClientMayGoInsideItsOwnCallback) {
  FakeService service;
  const FakeServer server(service);
  for (int i = 0; i < 20; ++i) {
    auto client = std::make_unique<Client>(Connect(server.address()));
    Client* const raw = client.get();
    absl::Notification done;
    raw->HealthAsync({}, [client = std::move(client), &done](auto health) mutable {
      EXPECT_TRUE(health.ok()) << health.status();
      client.reset();
      done.Notify();
    });
    done.WaitForNotification();
  }
}

TEST(LifetimeTest, ClientsThatComeAndGoWithTheirLastCall) {
  FakeService service;
  const FakeServer server(service);
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(Connect(server.address()).Health().ok());
  }
}

TEST(CallbackTest, AWaitingCallInsideACallbackIsRefused) {
  FakeService service;
  const FakeServer server(service);
  const Client client = Connect(server.address());
  absl::Notification done;
  client.HealthAsync({}, [&](auto) {
    EXPECT_EQ(client.Health().status().code(), absl::StatusCode::kFailedPrecondition);
    client.HealthAsync({}, [&](auto health) {  // the asynchronous form is fine
      EXPECT_TRUE(health.ok());
      done.Notify();
    });
  });
  done.WaitForNotification();
  EXPECT_TRUE(client.Health().ok());
}

}  // namespace
}  // namespace blendwire

// SPDX-License-Identifier: Apache-2.0
//
// What the client promises when a server is slow, away or restarted: deadlines, retries,
// reconnecting.

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
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
using ::testing::SizeIs;
using testing::WithoutRetries;

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
  EXPECT_EQ(
      Connect(server.address(), WithoutRetries()).Health().status(),
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

}  // namespace
}  // namespace blendwire

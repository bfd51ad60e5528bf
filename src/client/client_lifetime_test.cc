// SPDX-License-Identifier: Apache-2.0
//
// What the client promises about many calls at once and about their end: cancelling, threads,
// callbacks, and a client that goes.

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
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

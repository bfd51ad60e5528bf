// SPDX-License-Identifier: Apache-2.0
//
// How a program that uses the client is tested without a server.

#include <memory>

#include "blendwire/client/client.h"
#include "blendwire/client/testing/mock_connection.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

// Part of the program under test.
bool ServerIsReady(const blendwire::Client& client) {
  const absl::StatusOr<blendwire::ServerHealth> health = client.Health();
  return health.ok() && health->serving();
}

TEST(ServerIsReadyTest, NotWhenNobodyAnswers) {
  auto mock = std::make_shared<blendwire::testing::MockConnection>();
  EXPECT_CALL(*mock, Health).WillOnce([](const auto&, auto done) {
    done(absl::UnavailableError("nobody there"));
  });
  EXPECT_FALSE(ServerIsReady(blendwire::Client(mock)));
}

TEST(ServerIsReadyTest, WhenItServes) {
  auto mock = std::make_shared<blendwire::testing::MockConnection>();
  EXPECT_CALL(*mock, Health).WillOnce([](const auto&, auto done) {
    done(blendwire::ServerHealth{blendwire::ServingStatus::kServing, "ready", {}});
  });
  EXPECT_TRUE(ServerIsReady(blendwire::Client(mock)));
}

}  // namespace

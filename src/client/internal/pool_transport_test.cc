// SPDX-License-Identifier: Apache-2.0

#include "client/internal/pool_transport.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::client {
namespace {

using ::testing::ElementsAre;

struct Member : public Transport {
  std::function<void()> Start(std::shared_ptr<Rpc>, Attempt, StatusFunction done) override {
    running.push_back(std::move(done));
    ++started;
    return [] {};
  }

  void EndOne() {
    auto done = std::move(running.back());
    running.pop_back();
    done(absl::OkStatus());
  }

  std::vector<StatusFunction> running;
  int started = 0;
};

class PoolTransportTest : public ::testing::Test {
 protected:
  PoolTransportTest() {
    std::vector<std::unique_ptr<Transport>> owned;
    for (int i = 0; i < 3; ++i) {
      auto member = std::make_unique<Member>();
      members_.push_back(member.get());
      owned.push_back(std::move(member));
    }
    pool_ = std::make_unique<PoolTransport>(std::move(owned));
  }

  void Start() {
    pool_->Start(nullptr, {}, [this](absl::Status) { ++ended_; });
  }
  std::vector<int> Started() const {
    return {members_[0]->started, members_[1]->started, members_[2]->started};
  }

  std::vector<Member*> members_;
  std::unique_ptr<PoolTransport> pool_;
  int ended_ = 0;
};

TEST_F(PoolTransportTest, CallsThatDoNotOverlapShareTheFirst) {
  for (int i = 0; i < 5; ++i) {
    Start();
    members_[0]->EndOne();
  }
  EXPECT_THAT(Started(), ElementsAre(5, 0, 0));
  EXPECT_EQ(ended_, 5);
}

TEST_F(PoolTransportTest, CallsThatOverlapSpread) {
  for (int i = 0; i < 7; ++i) Start();
  EXPECT_THAT(Started(), ElementsAre(3, 2, 2));
}

TEST_F(PoolTransportTest, TheLeastLoadedIsNext) {
  for (int i = 0; i < 6; ++i) Start();
  members_[2]->EndOne();
  members_[2]->EndOne();
  Start();
  Start();
  EXPECT_THAT(Started(), ElementsAre(2, 2, 4));
}

}  // namespace
}  // namespace blendwire::client

// SPDX-License-Identifier: Apache-2.0

#include "client/address.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::client {
namespace {

using ::testing::HasSubstr;

TEST(LocalTargetTest, TakesThisMachine) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"127.0.0.1:50051", "ipv4:127.0.0.1:50051"},
      {"127.12.3.254:1", "ipv4:127.12.3.254:1"},
      {"localhost:65535", "ipv4:127.0.0.1:65535"},
      {"LocalHost:80", "ipv4:127.0.0.1:80"},
      {"[::1]:50051", "ipv6:%5B::1%5D:50051"},
      {"unix:/tmp/a.sock", "unix:/tmp/a.sock"},
      {"unix:///tmp/a.sock", "unix:/tmp/a.sock"},
      {"unix:relative.sock", "unix:relative.sock"},
      {"unix:/tmp/with space?#%", "unix:/tmp/with%20space%3f%23%25"},
  };
  for (const auto& [address, target] : cases) {
    const auto result = LocalTarget(address);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(*result, target);
  }
}

TEST(LocalTargetTest, RefusesTheRestAndSaysWhatWouldBeRight) {
  const std::vector<std::string> cases = {
      "",
      ":",
      ":50051",
      "127.0.0.1",
      "127.0.0.1:",
      "127.0.0.1:0",
      "127.0.0.1:65536",
      "127.0.0.1:-1",
      "127.0.0.1:+1",
      "127.0.0.1:50051 ",
      "127.0.0.1:99999999999999999999",
      "0.0.0.0:50051",
      "128.0.0.1:50051",
      "192.168.0.2:50051",
      "127.1:50051",
      "127.0.0.256:50051",
      "127.0.0.01:50051",
      "0x7f.0.0.1:50051",
      "127.0.0.1.example.com:50051",
      "example.com:50051",
      "localhost.example.com:50051",
      "localhost",
      "::1:50051",
      "[::1]",
      "[::2]:50051",
      "[::]:50051",
      "dns:///localhost:50051",
      "ipv4:127.0.0.1:50051",
      "unix:",
      "unix-abstract:name",
      "unix:" + std::string(200, 'a'),
      std::string("unix:/tmp/\0a", 11),
      "unix:/tmp/\xc3\xbc",
  };
  for (const auto& address : cases) {
    const auto result = LocalTarget(address);
    ASSERT_FALSE(result.ok()) << address << " became " << *result;
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(result.status().message(), HasSubstr("127.0.0.1:PORT"));
  }
}

}  // namespace
}  // namespace blendwire::client

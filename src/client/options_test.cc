// SPDX-License-Identifier: Apache-2.0

#include "client/options.h"

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ClientOptionsTest, TheDefaultsAreValidAndTheSpecifications) {
  const ClientOptions options;
  EXPECT_TRUE(options.Validate().ok());
  EXPECT_EQ(options.address, "127.0.0.1:50051");
  EXPECT_EQ(options.timeout, absl::Seconds(30));
  EXPECT_EQ(options.channels, 3);
  EXPECT_EQ(options.max_message_bytes, 104857600);
  EXPECT_EQ(options.keepalive.time, absl::Seconds(30));
  EXPECT_EQ(options.keepalive.timeout, absl::Seconds(5));
  EXPECT_TRUE(options.keepalive.without_calls);
}

TEST(ClientOptionsTest, EachBadFieldIsNamed) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::pair<std::string, std::function<void(ClientOptions&)>>> cases = {
      {"address", [](auto& o) { o.address = "10.0.0.1:50051"; }},
      {"timeout", [](auto& o) { o.timeout = absl::ZeroDuration(); }},
      {"timeout", [](auto& o) { o.timeout = absl::InfiniteDuration(); }},
      {"channels", [](auto& o) { o.channels = 0; }},
      {"channels", [](auto& o) { o.channels = 65; }},
      {"retry.max_attempts", [](auto& o) { o.retry.max_attempts = 0; }},
      {"retry.max_total_time", [](auto& o) { o.retry.max_total_time = -absl::Seconds(1); }},
      {"retry.initial_backoff", [](auto& o) { o.retry.initial_backoff = absl::ZeroDuration(); }},
      {"retry.max_backoff", [](auto& o) { o.retry.max_backoff = absl::Milliseconds(1); }},
      {"retry.multiplier", [](auto& o) { o.retry.multiplier = 0.5; }},
      {"retry.multiplier", [](auto& o) { o.retry.multiplier = kNan; }},
      {"retry.jitter", [](auto& o) { o.retry.jitter = 1.5; }},
      {"retry.jitter", [](auto& o) { o.retry.jitter = kNan; }},
      {"max_message_bytes", [](auto& o) { o.max_message_bytes = 0; }},
      {"keepalive.time", [](auto& o) { o.keepalive.time = absl::ZeroDuration(); }},
      {"keepalive.timeout", [](auto& o) { o.keepalive.timeout = -absl::Seconds(1); }},
  };
  for (const auto& [field, spoil] : cases) {
    ClientOptions options;
    spoil(options);
    const absl::Status status = options.Validate();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << field;
    EXPECT_THAT(status.message(), HasSubstr(field + " is "));
  }
}

TEST(ClientOptionsTest, ABadTokenIsRefusedWithoutBeingShown) {
  for (const std::string token : {"se\ncret", "secret ", " secret", "secr\xe9t", "secret\x7f"}) {
    ClientOptions options;
    options.token = token;
    const absl::Status status = options.Validate();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("token"));
    EXPECT_THAT(status.message(), Not(HasSubstr(token)));
  }
}

}  // namespace
}  // namespace blendwire

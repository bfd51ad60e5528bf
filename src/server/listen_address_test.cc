// SPDX-License-Identifier: Apache-2.0

#include "server/listen_address.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "system/process_figures.h"

namespace blendwire::server {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(LoopbackHostTest, LoopbackAddressesAreTaken) {
  for (const auto& [host, numeric] :
       {std::pair{"127.0.0.1", "127.0.0.1"}, std::pair{"::1", "::1"}, std::pair{"[::1]", "::1"},
        std::pair{"localhost", "127.0.0.1"}, std::pair{"LocalHost", "127.0.0.1"}}) {
    const absl::StatusOr<std::string> result = LoopbackHost(host);
    ASSERT_TRUE(result.ok()) << host << ": " << result.status();
    EXPECT_EQ(*result, numeric);
  }
}

TEST(LoopbackHostTest, EverythingElseIsRefused) {
  for (const char* host :
       {"", "0.0.0.0", "::", "[::]", "*", "192.168.0.1", "10.0.0.1", "128.0.0.1", "1.0.0.127",
        "127.0.0.2", "127.255.255.255", "127.0.0.1.example.org", "localhost.example.org", "127.0.0.256", "127.0.0", "127.1",
        "127.0.0.01", "127.0.0.1 ", " 127.0.0.1", "127.0.0.-1", "127.0.0.+1", "127..0.1",
        "0177.0.0.1", "0x7f.0.0.1", "2130706433", "::ffff:127.0.0.1", "::2", "[::1", "::1]",
        "localhost:80", "127.0.0.1:80", "fe80::1", "unix:/tmp/x"}) {
    const absl::Status status = LoopbackHost(host).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << host;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(std::string("\"") + host + "\""), HasSubstr("127.0.0.1")));
  }
}

TEST(HostAndPortTest, BracketsAreForIpv6) {
  EXPECT_EQ(HostAndPort("127.0.0.1", 50051), "127.0.0.1:50051");
  EXPECT_EQ(HostAndPort("::1", 0), "[::1]:0");
}

class SocketPathTest : public ::testing::Test {
 protected:
  // Tests run beside each other, each in a process of its own.
  SocketPathTest()
      : folder_(fs::canonical(::testing::TempDir()) /
                absl::StrCat("blendwire_socket_test_", system::ProcessId())) {
    fs::remove_all(folder_);
  }
  ~SocketPathTest() override { fs::remove_all(folder_); }

  fs::path folder_;
};

TEST_F(SocketPathTest, TheFolderIsMadePrivate) {
  ASSERT_TRUE(PrepareSocketPath(folder_ / "s").ok());
  EXPECT_EQ(fs::status(folder_).permissions(), fs::perms::owner_all);
  EXPECT_FALSE(fs::exists(folder_ / "s"));
}

TEST_F(SocketPathTest, AFolderOpenToOthersIsRefused) {
  fs::create_directory(folder_);
  fs::permissions(folder_, static_cast<fs::perms>(0755));
  EXPECT_EQ(PrepareSocketPath(folder_ / "s").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(SocketPathTest, WhatIsNoSocketStays) {
  ASSERT_TRUE(PrepareSocketPath(folder_ / "s").ok());
  std::ofstream(folder_ / "s") << "important";
  EXPECT_EQ(PrepareSocketPath(folder_ / "s").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_TRUE(fs::exists(folder_ / "s"));
}

TEST_F(SocketPathTest, ThePathMustFitAndBeAbsolute) {
  EXPECT_EQ(PrepareSocketPath("s").code(), absl::StatusCode::kInvalidArgument);
  const absl::Status status = PrepareSocketPath(folder_ / std::string(103, 's'));
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("103 bytes"));
}

}  // namespace
}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0

#include "server/token.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::server {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kToken[] = "0123456789abcdef~!";

TEST(CheckTokenTest, LengthAndCharactersAreChecked) {
  EXPECT_EQ(CheckToken(kToken).value(), kToken);
  EXPECT_TRUE(CheckToken(std::string(16, 'x')).ok());
  EXPECT_TRUE(CheckToken(std::string(512, 'x')).ok());
  for (const std::string& bad :
       {std::string(), std::string(15, 'x'), std::string(513, 'x'), std::string("0123456789 abcdef"),
        std::string("0123456789\tabcdef"), std::string("0123456789abcdefä"),
        std::string("0123456789\0abcdef", 17)}) {
    const absl::Status status = CheckToken(bad).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("16 to 512"));
    if (!bad.empty()) {
      EXPECT_THAT(std::string(status.message()), Not(HasSubstr(bad)));
    }
  }
}

TEST(ReadTokenTest, TakesTheFirstLine) {
  for (const std::string ending : {"", "\n", "\r\n", "\nmore\n"}) {
    std::istringstream input(kToken + ending);
    EXPECT_EQ(ReadToken(input).value(), kToken);
  }
}

TEST(ReadTokenTest, NoLineIsNoToken) {
  std::istringstream input("");
  EXPECT_EQ(ReadToken(input).status().code(), absl::StatusCode::kFailedPrecondition);
  std::istringstream empty_line("\n0123456789abcdef\n");
  EXPECT_EQ(ReadToken(empty_line).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST(ReadTokenFileTest, OnlyFromAPrivateFile) {
  const fs::path file = fs::path(::testing::TempDir()) / "blendwire_token_test";
  std::ofstream(file) << kToken << "\n";
  fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(ReadTokenFile(file).value(), kToken);
  fs::permissions(file, fs::perms::group_read, fs::perm_options::add);
  EXPECT_EQ(ReadTokenFile(file).status().code(), absl::StatusCode::kFailedPrecondition);
  fs::remove(file);
  EXPECT_EQ(ReadTokenFile(file).status().code(), absl::StatusCode::kFailedPrecondition);
}

class TokenCheckerTest : public ::testing::Test {
 protected:
  using Metadata = std::multimap<std::string, std::string>;

  grpc::Status Check(const Metadata& metadata) {
    grpc::AuthMetadataProcessor::InputMetadata input;
    for (const auto& [key, value] : metadata) input.emplace(key, value);
    consumed_.clear();
    grpc::AuthMetadataProcessor::OutputMetadata response;
    return checker_->Process(input, nullptr, &consumed_, &response);
  }

  std::shared_ptr<grpc::AuthMetadataProcessor> checker_ = MakeTokenChecker(kToken);
  grpc::AuthMetadataProcessor::OutputMetadata consumed_;
};

TEST_F(TokenCheckerTest, TheRightTokenPassesAndGoesNoFurther) {
  const std::string bearer = std::string("Bearer ") + kToken;
  EXPECT_TRUE(Check({{"x-request-id", "7"}, {"authorization", bearer}}).ok());
  ASSERT_EQ(consumed_.size(), 1u);
  EXPECT_EQ(consumed_.begin()->first, "authorization");
  EXPECT_EQ(consumed_.begin()->second, bearer);
}

TEST_F(TokenCheckerTest, NoTokenIsUnauthenticated) {
  const grpc::Status status = Check({{"x-request-id", "7"}});
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(status.error_message(), HasSubstr("authorization"));
}

TEST_F(TokenCheckerTest, EveryOtherValueIsUnauthenticated) {
  const std::string token = kToken;
  for (const std::string& value :
       {std::string(), token, "bearer " + token, "Bearer  " + token, "Bearer " + token + " ",
        "Bearer " + token.substr(1), "Bearer " + token.substr(0, token.size() - 1) + "x",
        "Basic " + token, std::string("Bearer ")}) {
    const grpc::Status status = Check({{"authorization", value}});
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << value;
    EXPECT_THAT(status.error_message(), Not(HasSubstr(token)));
  }
}

TEST_F(TokenCheckerTest, TwoTokensAreOneTooMany) {
  const std::string bearer = std::string("Bearer ") + kToken;
  EXPECT_EQ(Check({{"authorization", bearer}, {"authorization", bearer}}).error_code(),
            grpc::StatusCode::UNAUTHENTICATED);
}

}  // namespace
}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0

#include "server/token.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "contract/metadata_keys.h"
#include "system/files.h"
#include "system/private_file.h"

namespace blendwire::server {
namespace {

constexpr size_t kMinTokenBytes = 16;
constexpr size_t kMaxTokenBytes = 512;

class TokenChecker : public grpc::AuthMetadataProcessor {
 public:
  explicit TokenChecker(absl::string_view token) : expected_(absl::StrCat("Bearer ", token)) {}

  // The comparison takes microseconds: no thread of its own is worth it.
  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext*,
                       OutputMetadata* consumed, OutputMetadata*) override {
    const auto range = metadata.equal_range(contract::kAuthorizationKey);
    if (range.first == range.second) {
      return grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                          "this server demands a token; send the metadata authorization: "
                          "Bearer <token>");
    }
    const grpc::string_ref sent = range.first->second;
    if (std::next(range.first) != range.second || !Equal(sent)) {
      return grpc::Status(grpc::StatusCode::UNAUTHENTICATED,
                          "the token is wrong; use the one that this server was started with");
    }
    consumed->emplace(contract::kAuthorizationKey, std::string(sent.data(), sent.size()));
    return grpc::Status::OK;
  }

 private:
  // How long the comparison takes tells at most the length, which is no secret.
  bool Equal(const grpc::string_ref& sent) const {
    return sent.size() == expected_.size() &&
           CRYPTO_memcmp(sent.data(), expected_.data(), expected_.size()) == 0;
  }

  const std::string expected_;
};

}  // namespace

absl::StatusOr<std::string> CheckToken(std::string token) {
  const auto allowed = [](char c) { return absl::ascii_isgraph(static_cast<unsigned char>(c)); };
  if (token.size() < kMinTokenBytes || token.size() > kMaxTokenBytes ||
      !std::all_of(token.begin(), token.end(), allowed)) {
    return absl::FailedPreconditionError(
        absl::StrCat("the token has ", token.size(), " bytes; it must have ", kMinTokenBytes,
                     " to ", kMaxTokenBytes, " printable ASCII characters without spaces"));
  }
  return token;
}

absl::StatusOr<std::string> ReadToken(std::istream& input) {
  std::string line;
  if (!std::getline(input, line)) {
    return absl::FailedPreconditionError(
        "there is no token; it must be the first line of standard input");
  }
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return CheckToken(std::move(line));
}

absl::StatusOr<std::string> ReadTokenFile(const std::filesystem::path& file) {
  if (absl::Status status = system::CheckPrivateFile(file); !status.ok()) return status;
  std::ifstream stream(file, std::ios::binary);
  if (!stream) {
    return absl::FailedPreconditionError(
        absl::StrCat("the token file ", system::ToUtf8(file), " cannot be read"));
  }
  return ReadToken(stream);
}

std::shared_ptr<grpc::AuthMetadataProcessor> MakeTokenChecker(absl::string_view token) {
  return std::make_shared<TokenChecker>(token);
}

}  // namespace blendwire::server

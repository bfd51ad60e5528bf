// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_TOKEN_H_
#define BLENDWIRE_SERVER_TOKEN_H_

#include <filesystem>
#include <istream>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "grpcpp/security/auth_metadata_processor.h"

namespace blendwire::server {

// A token has 16 to 512 printable ASCII characters without spaces: at least 16, since a shorter one
// can be guessed.
absl::StatusOr<std::string> CheckToken(std::string token);

// The first line of `input`. FAILED_PRECONDITION if there is none.
absl::StatusOr<std::string> ReadToken(std::istream& input);

// The first line of a file that only its owner may read; FAILED_PRECONDITION if others may, or it
// cannot be read.
absl::StatusOr<std::string> ReadTokenFile(const std::filesystem::path& file);

// Demands `authorization: Bearer <token>` on every call of every service, health and reflection
// included, before any handler sees it. Compares in constant time; UNAUTHENTICATED otherwise.
std::shared_ptr<grpc::AuthMetadataProcessor> MakeTokenChecker(absl::string_view token);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_TOKEN_H_

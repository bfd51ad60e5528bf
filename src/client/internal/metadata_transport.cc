// SPDX-License-Identifier: Apache-2.0

#include "client/internal/metadata_transport.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace blendwire::client {

MetadataTransport::MetadataTransport(std::unique_ptr<Transport> inner, std::string token)
    : inner_(std::move(inner)), token_(std::move(token)) {}

std::function<void()> MetadataTransport::Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                                               StatusFunction done) {
  if (!token_.empty()) {
    attempt.metadata.emplace_back("authorization", absl::StrCat("Bearer ", token_));
  }
  if (!attempt.request_id.empty()) {
    attempt.metadata.emplace_back("x-request-id", attempt.request_id);
  }
  return inner_->Start(std::move(rpc), std::move(attempt), std::move(done));
}

}  // namespace blendwire::client

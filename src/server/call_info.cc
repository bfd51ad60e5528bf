// SPDX-License-Identifier: Apache-2.0

#include "server/call_info.h"

#include <algorithm>
#include <cstdint>

#include "absl/random/random.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "contract/metadata_keys.h"
#include "server/log.h"

namespace blendwire::server {
namespace {

constexpr size_t kMaxRequestIdBytes = 128;

std::string NewRequestId() {
  // To tell calls apart in a log, not to keep secrets.
  static thread_local absl::BitGen generator;
  return absl::StrFormat("%016x", absl::Uniform<uint64_t>(generator));
}

std::string RequestIdOf(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto found = metadata.find(contract::kRequestIdKey);
  if (found == metadata.end()) return NewRequestId();
  const absl::string_view sent(found->second.data(), found->second.size());
  const bool usable = !sent.empty() && sent.size() <= kMaxRequestIdBytes &&
                      std::all_of(sent.begin(), sent.end(), [](char c) {
                        return absl::ascii_isgraph(static_cast<unsigned char>(c));
                      });
  return usable ? std::string(sent) : NewRequestId();
}

}  // namespace

CallInfo CallInfo::From(absl::string_view method, grpc::CallbackServerContext& context) {
  const auto deadline = context.deadline();  // the clock's last moment if there is none
  CallInfo info{method, RequestIdOf(context), absl::Now(),
                deadline == decltype(deadline)::max() ? absl::InfiniteFuture() : absl::FromChrono(deadline)};
  context.AddInitialMetadata(contract::kRequestIdKey, info.request_id);
  return info;
}

void CallInfo::LogEnd(const absl::Status& status, size_t items) const {
  const bool our_fault = status.code() == absl::StatusCode::kInternal ||
                         status.code() == absl::StatusCode::kUnknown;
  const std::string code =
      status.ok() ? "OK" : std::string(absl::StatusCodeToString(status.code()));
  const std::string millis =
      absl::StrFormat("%.3f", absl::ToDoubleMilliseconds(absl::Now() - arrival));
  if (status.ok()) {
    Log(LogLevel::kInfo, "call",
        {{"method", std::string(method)},
         {"request_id", request_id},
         {"code", code},
         {"items", absl::StrCat(items)},
         {"ms", millis}});
  } else {
    Log(our_fault ? LogLevel::kError : LogLevel::kWarning, "call",
        {{"method", std::string(method)},
         {"request_id", request_id},
         {"code", code},
         {"items", absl::StrCat(items)},
         {"ms", millis},
         {"message", std::string(status.message())}});
  }
}

}  // namespace blendwire::server

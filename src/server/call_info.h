// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_CALL_INFO_H_
#define BLENDWIRE_SERVER_CALL_INFO_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "grpcpp/server_context.h"

namespace blendwire::server {

// Who is calling, what, and until when.
struct CallInfo {
  absl::string_view method;
  std::string request_id;
  absl::Time arrival;
  absl::Time deadline;  // infinite future if there is none

  // Takes the caller's x-request-id if it is 1 to 128 printable ASCII characters, else makes one;
  // the answer's metadata names it either way.
  static CallInfo From(absl::string_view method, grpc::CallbackServerContext& context);

  // One line for the whole call.
  void LogEnd(const absl::Status& status, size_t items) const;
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_CALL_INFO_H_

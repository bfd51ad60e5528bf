// SPDX-License-Identifier: Apache-2.0

#include "capi/error.h"

#include <string>

namespace blendwire::capi {
namespace {

std::string& LastError() {
  static thread_local std::string message;
  return message;
}

}  // namespace

blendwire_code Report(const absl::Status& status) {
  if (!status.ok()) LastError().assign(status.message().data(), status.message().size());
  return static_cast<blendwire_code>(status.code());
}

absl::Status NullError(absl::string_view argument) {
  return absl::InvalidArgumentError(absl::StrCat(argument, " is NULL, but must not be"));
}

}  // namespace blendwire::capi

const char* blendwire_last_error(void) { return blendwire::capi::LastError().c_str(); }

const char* blendwire_code_name(blendwire_code code) {
  static constexpr const char* kNames[] = {"OK",
                                           "CANCELLED",
                                           "UNKNOWN",
                                           "INVALID_ARGUMENT",
                                           "DEADLINE_EXCEEDED",
                                           "NOT_FOUND",
                                           "ALREADY_EXISTS",
                                           "PERMISSION_DENIED",
                                           "RESOURCE_EXHAUSTED",
                                           "FAILED_PRECONDITION",
                                           "ABORTED",
                                           "OUT_OF_RANGE",
                                           "UNIMPLEMENTED",
                                           "INTERNAL",
                                           "UNAVAILABLE",
                                           "DATA_LOSS",
                                           "UNAUTHENTICATED"};
  if (code == BLENDWIRE_PENDING) return "PENDING";
  return code >= BLENDWIRE_OK && code <= BLENDWIRE_UNAUTHENTICATED ? kNames[code] : "UNKNOWN";
}

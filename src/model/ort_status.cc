// SPDX-License-Identifier: Apache-2.0

#include "model/ort_status.h"

#include "absl/strings/str_cat.h"

namespace blendwire::model {

Ort::Env& OrtEnvironment() {
  // Never destroyed: sessions may live until the process ends. Silent: every error comes back as a
  // status, and its own lines would break a log that is read by machines.
  static Ort::Env& environment = *new Ort::Env(ORT_LOGGING_LEVEL_FATAL, "blendwire");
  return environment;
}

absl::Status FromOrtException(absl::string_view what, const Ort::Exception& error) {
  const std::string message = absl::StrCat(what, ": ", error.what());
  switch (error.GetOrtErrorCode()) {
    case ORT_INVALID_ARGUMENT:
    case ORT_NO_SUCHFILE:
    case ORT_INVALID_PROTOBUF:
    case ORT_INVALID_GRAPH:
    case ORT_NOT_IMPLEMENTED:
    case ORT_NO_MODEL:
    case ORT_FAIL:
    case ORT_RUNTIME_EXCEPTION:
      return absl::InvalidArgumentError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace blendwire::model

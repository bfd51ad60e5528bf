// SPDX-License-Identifier: Apache-2.0

#include "model/ort_status.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "system/environment.h"

namespace blendwire::model {
namespace {

// ONNX Runtime's builds by Microsoft (1.32 on Linux: core/platform/posix/telemetry_1ds.cc) otherwise
// look up mobile.events.data.microsoft.com as soon as there is an environment, send there what ran,
// and keep a database in the user's cache folder. Before main(), while there is one thread.
const bool kTelemetryIsOff = []() noexcept {
  system::SetEnvironment("ORT_DISABLE_TELEMETRY", "1");
  return true;
}();

// ONNX Runtime has no code for it. What its allocators say (core/framework/bfc_arena.cc), and
// std::bad_alloc's text in libstdc++, libc++ and Microsoft's library.
bool MemoryWasShort(const Ort::Exception& error) {
  constexpr std::array<absl::string_view, 4> kSigns = {
      "Failed to allocate memory", "Available memory of", "bad_alloc", "bad allocation"};
  const absl::string_view text = error.what();
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](absl::string_view sign) { return absl::StrContains(text, sign); });
}

}  // namespace

Ort::Env& OrtEnvironment() {
  // Never destroyed: sessions may live until the process ends. Silent: every error comes back as a
  // status, and its own lines would break a log that is read by machines.
  static Ort::Env& environment = []() -> Ort::Env& {
    auto* const made = new Ort::Env(ORT_LOGGING_LEVEL_FATAL, "blendwire");
    if (kTelemetryIsOff) made->DisableTelemetryEvents();  // builds that know no such variable
    return *made;
  }();
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

absl::Status FromRunException(const Ort::Exception& error) {
  if (MemoryWasShort(error)) {
    return absl::ResourceExhaustedError("there is not enough memory for this model");
  }
  return absl::InternalError(absl::StrCat("the model failed: ", error.what()));
}

}  // namespace blendwire::model

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MODEL_ORT_STATUS_H_
#define BLENDWIRE_MODEL_ORT_STATUS_H_

#include <onnxruntime_cxx_api.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace blendwire::model {

// The process's one ONNX Runtime environment. It logs nothing: errors are statuses.
Ort::Env& OrtEnvironment();

// What ONNX Runtime threw, as a status whose message starts with `what`: INVALID_ARGUMENT for
// anything that the file or the request is to blame for, INTERNAL otherwise.
absl::Status FromOrtException(absl::string_view what, const Ort::Exception& error);

// The same where a loaded model runs on input that has been checked: nobody is to blame, so
// RESOURCE_EXHAUSTED if memory was short, or INTERNAL.
absl::Status FromRunException(const Ort::Exception& error);

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_ORT_STATUS_H_

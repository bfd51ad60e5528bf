// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_DEFAULT_MODEL_H_
#define BLENDWIRE_SERVER_DEFAULT_MODEL_H_

#include <filesystem>

#include "absl/status/statusor.h"

namespace blendwire::server {

// The model that is shipped with the server: `models/default.onnx` beside the program, or
// `../share/blendwire/models/default.onnx`. NOT_FOUND names the places tried.
absl::StatusOr<std::filesystem::path> FindDefaultModel();

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_DEFAULT_MODEL_H_

// SPDX-License-Identifier: Apache-2.0
//
// LoadModel, UnloadModel and ListModels.

#ifndef BLENDWIRE_SERVER_MODEL_CALLS_H_
#define BLENDWIRE_SERVER_MODEL_CALLS_H_

#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/map.h"
#include "model/model.h"
#include "server/core.h"
#include "server/translate.h"

namespace blendwire::server {

// The request's options: "device" (cpu, cuda, …), "threads" (1 to 1024), "warmup" (true, false),
// "sha256" (64 hexadecimal digits). INVALID_ARGUMENT for anything else.
absl::StatusOr<model::LoadOptions> ParseLoadOptions(
    const google::protobuf::Map<std::string, std::string>& options, const ModelDefaults& defaults);

// Loads a file that the server's operator named, and makes it the model of that name.
absl::StatusOr<std::string> LoadTrusted(Core& core, const std::filesystem::path& file,
                                        absl::string_view name, const model::LoadOptions& options);

// The same for a caller: only from the allowed folders, and only after a child process has opened
// the file, so that one that crashes ONNX Runtime does no harm. A failure changes nothing.
absl::Status LoadModel(Core& core, const pb::LoadModelRequest& request,
                       pb::LoadModelResponse& response);

absl::Status UnloadModel(Core& core, const pb::UnloadModelRequest& request,
                         pb::UnloadModelResponse& response);

void ListModels(Core& core, pb::ListModelsResponse& response);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_MODEL_CALLS_H_

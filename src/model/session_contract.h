// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MODEL_SESSION_CONTRACT_H_
#define BLENDWIRE_MODEL_SESSION_CONTRACT_H_

#include <onnxruntime_cxx_api.h>

#include <cstdint>

#include "absl/status/statusor.h"
#include "model/metadata.h"

namespace blendwire::model {

// The names of the contract's inputs and output.
inline constexpr char kVerticesInput[] = "vertices";
inline constexpr char kConditionInput[] = "condition";
inline constexpr char kNormalsInput[] = "normals";
inline constexpr char kFeaturesInput[] = "features";
inline constexpr char kOffsetsOutput[] = "offsets";
inline constexpr char kMarginsOutput[] = "margins";
inline constexpr char kEncodedOutput[] = "encoded";

// What a session's inputs and outputs say; -1 is a dynamic dimension.
struct SessionShape {
  int64_t condition_size = -1;
  int64_t vertex_count = -1;
  bool takes_normals = false;
  bool dynamic_batch = false;
};

// Compares the session's inputs and outputs with the contract (docs/model-contract.md), given what
// its metadata says; all are 32-bit floats. INVALID_ARGUMENT naming the input or output, what it is
// and what would be right.
absl::StatusOr<SessionShape> CheckContract(const Ort::Session& session, const Metadata& metadata);

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_SESSION_CONTRACT_H_

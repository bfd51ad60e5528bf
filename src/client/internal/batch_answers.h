// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_BATCH_ANSWERS_H_
#define BLENDWIRE_CLIENT_INTERNAL_BATCH_ANSWERS_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/connection.h"
#include "client/internal/answer_memory.h"
#include "client/internal/encoding.h"
#include "client/types.h"
#include "vrchat/blendshape/inference/inference.pb.h"

namespace blendwire::client {

// Puts the items of a stream in their places and reports them.
class StreamCollector {
 public:
  StreamCollector(const BatchRequest& request, std::vector<Destination> destinations,
                  std::shared_ptr<const AnswerPlaces> places, UpdateCallback on_update);

  absl::Status Add(const vrchat::blendshape::inference::BatchPredictionUpdate& update);

  // What the server calls the mesh that the items share; empty if it does not say.
  const std::string& mesh_id() const { return mesh_id_; }

  absl::StatusOr<BatchResult> Take();

 private:
  const std::vector<Destination> destinations_;
  const std::shared_ptr<const AnswerPlaces> places_;
  const UpdateCallback on_update_;
  std::vector<bool> shares_mesh_;
  std::vector<bool> arrived_;
  std::vector<absl::StatusOr<Prediction>> items_;
  size_t completed_ = 0;
  std::string mesh_id_;
};

absl::StatusOr<BatchResult> DecodeBatch(
    const vrchat::blendshape::inference::BatchPredictionResponse& message,
    const std::vector<Destination>& destinations, const AnswerPlaces& places);

// The name that the answers of a batch give to the mesh that its items share.
std::string SharedMeshId(const vrchat::blendshape::inference::BatchPredictionRequest& request,
                         const vrchat::blendshape::inference::BatchPredictionResponse& response);

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_BATCH_ANSWERS_H_

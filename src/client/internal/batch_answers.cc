// SPDX-License-Identifier: Apache-2.0

#include "client/internal/batch_answers.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client/internal/call_tracker.h"

namespace blendwire::client {

namespace contract = ::vrchat::blendshape::inference;

StreamCollector::StreamCollector(const BatchRequest& request, std::vector<Destination> destinations,
                                 std::shared_ptr<const AnswerPlaces> places,
                                 UpdateCallback on_update)
    : destinations_(std::move(destinations)),
      places_(std::move(places)),
      on_update_(std::move(on_update)),
      arrived_(destinations_.size(), false),
      items_(destinations_.size(), absl::InternalError("the server left this item out")) {
  for (const BatchItem& item : request.items) shares_mesh_.push_back(!item.mesh.has_value());
}

absl::Status StreamCollector::Add(const contract::BatchPredictionUpdate& update) {
  const auto index = static_cast<size_t>(update.index());
  if (update.index() < 0 || index >= items_.size() || arrived_[index]) {
    return absl::InternalError(absl::StrCat("the server reported item ", update.index(), " of ",
                                            items_.size(), " twice or out of range"));
  }
  arrived_[index] = true;
  ++completed_;
  if (shares_mesh_[index]) mesh_id_ = update.response().mesh_id();
  items_[index] = Decode(update.response(), destinations_[index], places_->Read(index));
  if (on_update_) {
    const CallbackScope scope;
    on_update_(BatchUpdate{index, completed_, items_.size(), items_[index]});
  }
  return absl::OkStatus();
}

absl::StatusOr<BatchResult> StreamCollector::Take() {
  if (completed_ != items_.size()) {
    return absl::InternalError(absl::StrCat("the server ended the stream after ", completed_,
                                            " of ", items_.size(), " items"));
  }
  BatchResult result;
  result.items = std::move(items_);
  return result;
}

absl::StatusOr<BatchResult> DecodeBatch(const contract::BatchPredictionResponse& message,
                                        const std::vector<Destination>& destinations,
                                        const AnswerPlaces& places) {
  if (static_cast<size_t>(message.responses_size()) != destinations.size()) {
    return absl::InternalError(absl::StrCat("the server answered ", message.responses_size(),
                                            " items of a batch of ", destinations.size()));
  }
  BatchResult result;
  result.items.reserve(destinations.size());
  for (int i = 0; i < message.responses_size(); ++i) {
    const auto item = static_cast<size_t>(i);
    result.items.push_back(Decode(message.responses(i), destinations[item], places.Read(item)));
  }
  result.total_processing_time_ms = message.total_processing_time_ms();
  return result;
}

std::string SharedMeshId(const contract::BatchPredictionRequest& request,
                         const contract::BatchPredictionResponse& response) {
  const int count = std::min(request.requests_size(), response.responses_size());
  for (int i = 0; i < count; ++i) {
    if (request.requests(i).vertices_size() == 0 && !response.responses(i).mesh_id().empty()) {
      return response.responses(i).mesh_id();
    }
  }
  return {};
}

}  // namespace blendwire::client

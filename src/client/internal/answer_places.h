// SPDX-License-Identifier: Apache-2.0
//
// What a call does with the places of its answers.

#ifndef BLENDWIRE_CLIENT_INTERNAL_ANSWER_PLACES_H_
#define BLENDWIRE_CLIENT_INTERNAL_ANSWER_PLACES_H_

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "client/connection.h"
#include "client/internal/answer_memory.h"
#include "client/internal/encoding.h"
#include "client/internal/grpc_rpc.h"

namespace blendwire::client {

inline std::vector<size_t> SizesOf(const std::vector<Destination>& destinations) {
  std::vector<size_t> sizes;
  sizes.reserve(destinations.size());
  for (const Destination& destination : destinations) sizes.push_back(destination.size);
  return sizes;
}

// Says in `item`, an item of the call, where its answer goes.
inline void SetPlace(const AnswerPlaces& places, size_t answer,
                     contract::VertexOffsetRequest& item) {
  const SharedRegion::Place* const place = places.place(answer);
  if (place == nullptr) return;
  item.mutable_answer_place()->set_region_id(places.region_id());
  item.mutable_answer_place()->set_offset(place->offset);
}

inline void SetPlaces(const AnswerPlaces& places, contract::BatchPredictionRequest& batch) {
  for (int i = 0; i < batch.requests_size(); ++i) {
    SetPlace(places, static_cast<size_t>(i), *batch.mutable_requests(i));
  }
}

inline void ClearPlaces(contract::VertexOffsetRequest& item) { item.clear_answer_place(); }

inline void ClearPlaces(contract::BatchPredictionRequest& batch) {
  for (contract::VertexOffsetRequest& item : *batch.mutable_requests()) ClearPlaces(item);
}

// A second try gets its answers sent: the first may still be in the server, and write.
template <typename Rpc>
void SendAnswersOnRestart(Rpc& rpc, std::shared_ptr<AnswerPlaces> places) {
  if (places->empty()) return;
  rpc.BeforeRestart([&request = rpc.request(), places = std::move(places)] {
    ClearPlaces(request);
    places->CallRestarts();
  });
}

// `done`, after `places` have been told how the call ended.
template <typename Result>
Callback<Result> Releasing(std::shared_ptr<AnswerPlaces> places, Callback<Result> done) {
  return
      [places = std::move(places), done = std::move(done)](absl::StatusOr<Result> result) mutable {
        std::exchange(places, nullptr)->CallEnded(result.status());
        done(std::move(result));
      };
}

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_ANSWER_PLACES_H_

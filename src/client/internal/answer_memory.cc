// SPDX-License-Identifier: Apache-2.0

#include "client/internal/answer_memory.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"

namespace blendwire::client {
namespace {

// A cache line: two answers that are written at a time do not share one.
constexpr size_t kAlignment = 64;

size_t Bytes(size_t floats) {
  return (floats * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
}

// Whether the call is over for the server, too. It refuses flawed requests before it writes; any
// other error may come from this side, or from the connection.
bool ServerHasEnded(const absl::Status& status) {
  return status.ok() || absl::IsInvalidArgument(status) || absl::IsNotFound(status);
}

bool WorthSharing(const std::vector<size_t>& floats) {
  return std::accumulate(floats.begin(), floats.end(), size_t{0}) >= AnswerMemory::kLeastFloats;
}

}  // namespace

absl::Status SharedRegion::Open(std::string id, const std::string& name, int64_t size) {
  if (size <= 0) {
    return absl::InternalError(
        absl::StrCat("the server shares ", size, " bytes, which is no size"));
  }
  const auto bytes = static_cast<size_t>(size);
  auto memory = system::SharedMemory::Open(name, bytes);
  if (!memory.ok()) return memory.status();
  absl::MutexLock lock(&mutex_);
  if (memory_ != nullptr) return absl::InternalError("the server shares the same memory twice");
  id_ = std::move(id);
  memory_ = *std::move(memory);
  free_[0] = bytes / kAlignment * kAlignment;
  return absl::OkStatus();
}

void SharedRegion::OnRetirement(std::function<void()> action) {
  {
    absl::MutexLock lock(&mutex_);
    if (!retired_) {
      on_retirement_ = std::move(action);
      return;
    }
  }
  action();
}

void SharedRegion::Retire() {
  std::function<void()> action;
  {
    absl::MutexLock lock(&mutex_);
    retired_ = true;
    action = std::exchange(on_retirement_, nullptr);
  }
  if (action) action();
}

bool SharedRegion::Take(size_t floats, Place& place, std::string& id) {
  absl::MutexLock lock(&mutex_);
  if (retired_ || memory_ == nullptr || floats == 0) return false;
  const size_t bytes = Bytes(floats);
  const auto room = std::find_if(free_.begin(), free_.end(), [bytes](const auto& range) {
    return range.second - range.first >= bytes;
  });
  if (room == free_.end()) return false;
  const auto [start, end] = *room;
  free_.erase(room);
  if (start + bytes < end) free_[start + bytes] = end;
  place = {static_cast<int64_t>(start), floats};
  id = id_;
  return true;
}

void SharedRegion::GiveBack(const Place& place) {
  absl::MutexLock lock(&mutex_);
  auto start = static_cast<size_t>(place.offset);
  size_t end = start + Bytes(place.floats);
  const auto after = free_.find(end);
  if (after != free_.end()) {
    end = after->second;
    free_.erase(after);
  }
  const auto next = free_.lower_bound(start);
  const auto before = next == free_.begin() ? free_.end() : std::prev(next);
  if (before != free_.end() && before->second == start) {
    before->second = end;
  } else {
    free_[start] = end;
  }
}

absl::Span<const float> SharedRegion::Read(const Place& place) const {
  absl::MutexLock lock(&mutex_);
  return {reinterpret_cast<const float*>(memory_->data() + place.offset), place.floats};
}

bool SharedRegion::opened() const {
  absl::MutexLock lock(&mutex_);
  return memory_ != nullptr;
}

AnswerPlaces::AnswerPlaces(std::shared_ptr<SharedRegion> region, const std::vector<size_t>& floats)
    : region_(std::move(region)), places_(floats.size()) {
  if (region_ == nullptr || !WorthSharing(floats)) return;
  for (size_t i = 0; i < floats.size(); ++i) {
    if (region_->Take(floats[i], places_[i], region_id_)) ++taken_;
  }
}

AnswerPlaces::~AnswerPlaces() {
  if (taken_ == 0) return;
  if (!server_has_ended_ || restarted_) {
    region_->Retire();
    return;
  }
  for (const SharedRegion::Place& place : places_) {
    if (place.floats > 0) region_->GiveBack(place);
  }
}

const SharedRegion::Place* AnswerPlaces::place(size_t answer) const {
  return places_[answer].floats > 0 ? &places_[answer] : nullptr;
}

absl::Span<const float> AnswerPlaces::Read(size_t answer) const {
  if (restarted_ || places_[answer].floats == 0) return {};
  return region_->Read(places_[answer]);
}

void AnswerPlaces::CallEnded(const absl::Status& status) {
  server_has_ended_ = ServerHasEnded(status);
}

std::shared_ptr<AnswerPlaces> AnswerMemory::PlacesFor(const std::vector<size_t>& floats) {
  std::shared_ptr<SharedRegion> region;
  {
    absl::MutexLock lock(&mutex_);
    region = region_;
  }
  return std::make_shared<AnswerPlaces>(std::move(region), floats);
}

std::shared_ptr<SharedRegion> AnswerMemory::Ask(const std::vector<size_t>& floats) {
  if (!WorthSharing(floats)) return nullptr;
  absl::MutexLock lock(&mutex_);
  if (refused_ || region_ != nullptr) return nullptr;
  region_ = std::make_shared<SharedRegion>();
  return region_;
}

void AnswerMemory::Ended(const std::shared_ptr<SharedRegion>& region, const absl::Status& status) {
  // Nothing to cancel any more; and what refers to the call through that goes.
  region->Retire();
  absl::MutexLock lock(&mutex_);
  if (region_ == region) region_ = nullptr;
  if (!region->opened() && !absl::IsCancelled(status) && !absl::IsUnavailable(status)) {
    refused_ = true;
  }
}

}  // namespace blendwire::client

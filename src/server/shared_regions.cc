// SPDX-License-Identifier: Apache-2.0

#include "server/shared_regions.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "system/random_bytes.h"

namespace blendwire::server {

SharedRegion::SharedRegion(std::unique_ptr<system::SharedMemory> memory)
    : id_(system::RandomBytes(16)), memory_(std::move(memory)) {}

absl::StatusOr<absl::Span<float>> SharedRegion::Place(int64_t offset, size_t floats) {
  const size_t bytes = floats * sizeof(float);
  if (offset < 0 || offset % static_cast<int64_t>(sizeof(float)) != 0 || bytes > size() ||
      static_cast<uint64_t>(offset) > size() - bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("answer_place.offset is ", offset, ", but must be a multiple of 4 and leave ",
                     bytes, " bytes for the offsets in a region of ", size()));
  }
  const auto start = static_cast<size_t>(offset);
  if (absl::Status status = memory_->Reserve(start, bytes); !status.ok()) return status;
  return absl::MakeSpan(reinterpret_cast<float*>(memory_->data() + start), floats);
}

absl::StatusOr<std::shared_ptr<SharedRegion>> SharedRegions::Open(int64_t size) {
  if (max_bytes_ == 0) {
    return absl::UnimplementedError("this server shares no memory; start it with --shared-memory");
  }
  if (size <= 0) {
    return absl::InvalidArgumentError(absl::StrCat("size is ", size, ", but must be at least 1"));
  }
  const auto bytes = static_cast<size_t>(size);
  {
    absl::MutexLock lock(&mutex_);
    if (bytes > max_bytes_ - used_) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "size is ", size, ", but of the ", max_bytes_,
          " bytes that this server shares (--shared-memory) ", max_bytes_ - used_, " are left"));
    }
    used_ += bytes;
  }
  absl::StatusOr<std::unique_ptr<system::SharedMemory>> memory =
      system::SharedMemory::Create(bytes);
  absl::MutexLock lock(&mutex_);
  if (!memory.ok()) {
    used_ -= bytes;
    return memory.status();
  }
  auto region = std::make_shared<SharedRegion>(*std::move(memory));
  regions_[region->id()] = region;
  return region;
}

void SharedRegions::Close(const SharedRegion& region) {
  absl::MutexLock lock(&mutex_);
  const size_t bytes = region.size();
  if (regions_.erase(region.id()) > 0) used_ -= bytes;
}

std::shared_ptr<SharedRegion> SharedRegions::Find(const std::string& id) const {
  absl::MutexLock lock(&mutex_);
  const auto found = regions_.find(id);
  return found == regions_.end() ? nullptr : found->second;
}

}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_SHARED_REGIONS_H_
#define BLENDWIRE_SERVER_SHARED_REGIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "system/shared_memory.h"

namespace blendwire::server {

// Shared memory of one caller, for answers.
class SharedRegion {
 public:
  explicit SharedRegion(std::unique_ptr<system::SharedMemory> memory);

  // 16 random bytes: only who was told can write to it.
  const std::string& id() const { return id_; }
  const std::string& name() const { return memory_->name(); }
  size_t size() const { return memory_->size(); }

  // Room for `floats` floats, `offset` bytes from the start. INVALID_ARGUMENT if they are not
  // within the region, or the offset is no multiple of a float's size; RESOURCE_EXHAUSTED if the
  // system has no memory for them.
  absl::StatusOr<absl::Span<float>> Place(int64_t offset, size_t floats);

 private:
  const std::string id_;
  const std::unique_ptr<system::SharedMemory> memory_;
};

// The regions of all callers. Safe for use from several threads at once.
class SharedRegions {
 public:
  // `max_bytes` for all regions together; 0: there are none.
  explicit SharedRegions(size_t max_bytes) : max_bytes_(max_bytes) {}

  // A region of `size` bytes. UNIMPLEMENTED without shared memory, INVALID_ARGUMENT for a size that
  // is not positive, RESOURCE_EXHAUSTED if it does not fit.
  absl::StatusOr<std::shared_ptr<SharedRegion>> Open(int64_t size);

  // Nobody finds it any more. Who has found it may write to it until he drops it.
  void Close(const SharedRegion& region);

  // Null if there is no such region.
  std::shared_ptr<SharedRegion> Find(const std::string& id) const;

 private:
  const size_t max_bytes_;
  mutable absl::Mutex mutex_;
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, std::shared_ptr<SharedRegion>> regions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_SHARED_REGIONS_H_

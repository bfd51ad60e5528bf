// SPDX-License-Identifier: Apache-2.0
//
// Memory that the server writes answers to, in place of sending them.

#ifndef BLENDWIRE_CLIENT_INTERNAL_ANSWER_MEMORY_H_
#define BLENDWIRE_CLIENT_INTERNAL_ANSWER_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "system/shared_memory.h"

namespace blendwire::client {

// One region that the server was asked for: without memory until Open(), and for good after
// Retire(). Safe for use from several threads at once.
class SharedRegion {
 public:
  // Bytes from the region's start, and how many floats are there from that on.
  struct Place {
    int64_t offset = 0;
    size_t floats = 0;
  };

  // What the server gave: what it calls the region, and the memory's name and size in bytes.
  absl::Status Open(std::string id, const std::string& name, int64_t size);

  // What ends the call that the region comes with. Runs once, when the region retires; at once if
  // it has.
  void OnRetirement(std::function<void()> action);

  // No place is taken any more.
  void Retire();

  // A free place; nothing if there is none of that size. The answer's id is written to `id`.
  bool Take(size_t floats, Place& place, std::string& id);
  void GiveBack(const Place& place);

  // What the server has written there.
  absl::Span<const float> Read(const Place& place) const;

  bool opened() const;

 private:
  mutable absl::Mutex mutex_;
  std::string id_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<const system::SharedMemory> memory_ ABSL_GUARDED_BY(mutex_);
  std::map<size_t, size_t> free_ ABSL_GUARDED_BY(mutex_);  // start -> end, bytes
  bool retired_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> on_retirement_ ABSL_GUARDED_BY(mutex_);
};

// The places of one call's answers; an answer for which there is no room has none. One thread at a
// time.
class AnswerPlaces {
 public:
  AnswerPlaces(std::shared_ptr<SharedRegion> region, const std::vector<size_t>& floats);

  // Unless the server is known to have ended the call it may still write: the region retires.
  ~AnswerPlaces();
  AnswerPlaces(const AnswerPlaces&) = delete;
  AnswerPlaces& operator=(const AnswerPlaces&) = delete;

  bool empty() const { return taken_ == 0; }
  const std::string& region_id() const { return region_id_; }

  // Null if the answer has no place.
  const SharedRegion::Place* place(size_t answer) const;

  // Empty if the answer has no place.
  absl::Span<const float> Read(size_t answer) const;

  // How the call ended for the caller.
  void CallEnded(const absl::Status& status);

  // The call is tried again; the first try may be in the server still.
  void CallRestarts() { restarted_ = true; }

 private:
  const std::shared_ptr<SharedRegion> region_;
  std::string region_id_;
  std::vector<SharedRegion::Place> places_;
  size_t taken_ = 0;
  bool restarted_ = false;
  bool server_has_ended_ = false;
};

// A connection's region. Safe for use from several threads at once.
class AnswerMemory {
 public:
  // What the server is asked for: enough for 15 answers of 100,000 vertices.
  static constexpr int64_t kRegionBytes = int64_t{24} << 20;
  // Fewer floats in all are sent as fast.
  static constexpr size_t kLeastFloats = 4096;

  // Without places if there is no region, no room, or little to answer.
  std::shared_ptr<AnswerPlaces> PlacesFor(const std::vector<size_t>& floats);

  // A new region to ask the server for, if these answers would make use of one, none is there and
  // the server has not refused one; else null. Ended() must follow.
  std::shared_ptr<SharedRegion> Ask(const std::vector<size_t>& floats);

  // The call that asked for `region` has ended.
  void Ended(const std::shared_ptr<SharedRegion>& region, const absl::Status& status);

 private:
  absl::Mutex mutex_;
  std::shared_ptr<SharedRegion> region_ ABSL_GUARDED_BY(mutex_);
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_ANSWER_MEMORY_H_

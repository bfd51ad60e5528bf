// SPDX-License-Identifier: Apache-2.0
//
// Remembers what models made of recent meshes. Encoding a mesh is nearly all of a prediction's
// cost, so the second set of expressions, or a slider that moves, takes a small part of the first's
// time.

#ifndef BLENDWIRE_PREDICT_ENCODING_CACHE_H_
#define BLENDWIRE_PREDICT_ENCODING_CACHE_H_

#include <cstddef>
#include <list>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "predict/derived_mesh.h"
#include "predict/encoding.h"

namespace blendwire::predict {

// Bounded; the least recently used go first, and those of a mesh that MeshCache has forgotten. Safe
// for use from several threads at once.
class EncodingCache {
 public:
  using Mesh = std::shared_ptr<const DerivedMesh>;

  explicit EncodingCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  struct Entry;  // of the cache's own

  // The right to encode a mesh that other threads may be waiting for. They go on when it is kept;
  // if this ends otherwise, one of them gets the turn.
  class Turn {
   public:
    Turn(EncodingCache& cache, std::shared_ptr<Entry> entry)
        : cache_(&cache), entry_(std::move(entry)) {}
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&& other) = delete;
    ~Turn();

    void Keep(std::shared_ptr<const Encoding> encoding);

   private:
    EncodingCache* cache_;
    std::shared_ptr<Entry> entry_;
  };

  // At most one of both. Neither: it would not fit, or `stop` was requested while waiting.
  struct Lookup {
    std::shared_ptr<const Encoding> encoding;
    std::optional<Turn> turn;
  };

  // What the model with this SHA-256 made of the mesh, or the turn to make it, which takes `bytes`.
  // Waits while another thread has the turn.
  Lookup Get(const Mesh& mesh, absl::string_view model_sha256, size_t bytes, std::stop_token stop);

  size_t used_bytes() const;

 private:
  using Entries = std::list<std::shared_ptr<Entry>>;

  Entries::iterator Find(const Mesh& mesh, absl::string_view model_sha256)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom(size_t bytes, Entries& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(Entries::iterator entry, Entries& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(const std::shared_ptr<Entry>& entry, std::shared_ptr<const Encoding> encoding);

  const size_t max_bytes_;
  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_ENCODING_CACHE_H_

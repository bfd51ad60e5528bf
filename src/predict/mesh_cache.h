// SPDX-License-Identifier: Apache-2.0
//
// Remembers what was worked out of recent meshes: a creator asks for many expressions of one mesh,
// in many calls, and finding its neighbours anew each time would cost more than the model.

#ifndef BLENDWIRE_PREDICT_MESH_CACHE_H_
#define BLENDWIRE_PREDICT_MESH_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "predict/derived_mesh.h"

namespace blendwire::predict {

// A mesh that the cache remembers, and what was worked out of it.
struct KnownMesh {
  // By which a caller may name it instead of sending it again: 16 random bytes, so that only those
  // who have sent the mesh know them. Empty, with the content: too large to be remembered.
  std::string id;
  std::vector<float> vertices;
  std::vector<uint32_t> triangles;
  std::shared_ptr<const DerivedMesh> derived;

  MeshView view() const { return {vertices, triangles}; }
};

// Keyed by content and compared byte by byte, so that a hash collision cannot give a wrong answer.
// The least recently used meshes go first. Safe for use from several threads at once.
class MeshCache {
 public:
  // A mesh that would take more than half of `max_bytes` is not remembered.
  explicit MeshCache(size_t max_bytes) : max_bytes_(max_bytes) {}

  // What belongs to a mesh of this content; shared with every other that has it.
  std::shared_ptr<const KnownMesh> Get(const MeshView& mesh);

  // Null if no mesh that is still remembered has this id.
  std::shared_ptr<const KnownMesh> Find(absl::string_view id);

  size_t used_bytes() const;

 private:
  struct Entry {
    uint64_t hash = 0;
    size_t bytes = 0;
    std::shared_ptr<const KnownMesh> mesh;
  };
  using Entries = std::list<Entry>;

  Entries::iterator Find(uint64_t hash, const MeshView& mesh) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::shared_ptr<const KnownMesh> Use(Entries::iterator entry)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom(size_t bytes, Entries& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t max_bytes_;
  mutable absl::Mutex mutex_;
  Entries entries_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_MESH_CACHE_H_

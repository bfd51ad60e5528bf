// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_KNOWN_MESHES_H_
#define BLENDWIRE_CLIENT_INTERNAL_KNOWN_MESHES_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/types.h"
#include "google/protobuf/repeated_field.h"

namespace blendwire::client {

// A mesh that the server has been sent, as the message had it.
struct KnownMesh {
  std::string id;  // what the server calls it
  google::protobuf::RepeatedField<float> vertices;
  google::protobuf::RepeatedField<uint32_t> triangles;

  size_t bytes() const;
};

// Remembers what the server has been sent and calls by a name, so that the next call with an equal
// mesh sends the name. The meshes are kept whole: to be compared byte by byte, and to be sent again
// if the server has forgotten them. The least recently used go first. Safe for use from several
// threads at once.
class KnownMeshes {
 public:
  // A mesh that would take more than half of `max_bytes` is not remembered.
  explicit KnownMeshes(size_t max_bytes) : max_bytes_(max_bytes) {}

  // The mesh with this content; null if there is none.
  std::shared_ptr<const KnownMesh> Find(const MeshView& mesh);

  // The mesh that this one will most likely turn out to be: that of the last two calls. Null if it
  // has another size, or is so small that comparing takes no time. IsRight() must follow.
  std::shared_ptr<const KnownMesh> Guess(const MeshView& mesh);

  // Whether a guess was right: compares, outside the lock.
  bool IsRight(const std::shared_ptr<const KnownMesh>& guess, const MeshView& mesh);

  // In the place of one with equal content, if there is one.
  void Remember(std::shared_ptr<const KnownMesh> mesh);

 private:
  using Meshes = std::list<std::shared_ptr<const KnownMesh>>;

  Meshes::iterator FindEqual(const MeshView& mesh) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Drop(Meshes::iterator mesh, Meshes& dropped) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t max_bytes_;
  absl::Mutex mutex_;
  Meshes meshes_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  size_t used_ ABSL_GUARDED_BY(mutex_) = 0;
  bool repeated_ ABSL_GUARDED_BY(mutex_) = false;  // the last two calls had the first of them
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_KNOWN_MESHES_H_

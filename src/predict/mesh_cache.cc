// SPDX-License-Identifier: Apache-2.0

#include "predict/mesh_cache.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"
#include "system/random_bytes.h"

namespace blendwire::predict {
namespace {

// Neighbours (about six for each vertex, twelve without triangles) in two orders, normals, mirror
// partners, the shortest edge, and bookkeeping.
constexpr size_t kDerivedBytesPerVertex = 104;

template <typename T>
absl::string_view Bytes(absl::Span<const T> values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

uint64_t HashOf(const MeshView& mesh) {
  return absl::HashOf(Bytes(mesh.vertices), Bytes(mesh.triangles));
}

size_t BytesOf(const MeshView& mesh) {
  return Bytes(mesh.vertices).size() + Bytes(mesh.triangles).size() +
         mesh.vertices.size() / 3 * kDerivedBytesPerVertex;
}

}  // namespace

std::shared_ptr<const KnownMesh> MeshCache::Get(const MeshView& mesh) {
  auto known = std::make_shared<KnownMesh>();
  known->derived = std::make_shared<const DerivedMesh>();
  const size_t bytes = BytesOf(mesh);
  if (bytes > max_bytes_ / 2) return known;
  const uint64_t hash = HashOf(mesh);
  {
    absl::MutexLock lock(&mutex_);
    const auto found = Find(hash, mesh);
    if (found != entries_.end()) return Use(found);
  }
  // Copied outside the lock; two callers may do so at once, and the second finds the first's.
  known->id = system::RandomBytes(16);
  known->vertices.assign(mesh.vertices.begin(), mesh.vertices.end());
  known->triangles.assign(mesh.triangles.begin(), mesh.triangles.end());
  Entries dropped;  // destroyed outside the lock
  absl::MutexLock lock(&mutex_);
  const auto found = Find(hash, mesh);
  if (found != entries_.end()) return Use(found);
  MakeRoom(bytes, dropped);
  entries_.push_front({hash, bytes, known});
  used_ += bytes;
  return known;
}

std::shared_ptr<const KnownMesh> MeshCache::Find(absl::string_view id) {
  absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.mesh->id == id; });
  return found == entries_.end() ? nullptr : Use(found);
}

std::shared_ptr<const KnownMesh> MeshCache::Use(Entries::iterator entry) {
  entries_.splice(entries_.begin(), entries_, entry);
  return entry->mesh;
}

MeshCache::Entries::iterator MeshCache::Find(uint64_t hash, const MeshView& mesh) {
  // Few meshes fit, so looking through them all takes less than the hash did.
  return std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.hash == hash && Bytes(entry.mesh->view().vertices) == Bytes(mesh.vertices) &&
           Bytes(entry.mesh->view().triangles) == Bytes(mesh.triangles);
  });
}

void MeshCache::MakeRoom(size_t bytes, Entries& dropped) {
  while (!entries_.empty() && used_ + bytes > max_bytes_) {
    used_ -= entries_.back().bytes;
    dropped.splice(dropped.begin(), entries_, std::prev(entries_.end()));
  }
}

size_t MeshCache::used_bytes() const {
  absl::MutexLock lock(&mutex_);
  return used_;
}

}  // namespace blendwire::predict

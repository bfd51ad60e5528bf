// SPDX-License-Identifier: Apache-2.0

#include "client/internal/known_meshes.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "absl/types/span.h"

namespace blendwire::client {
namespace {

template <typename T>
absl::Span<const T> SpanOf(const google::protobuf::RepeatedField<T>& field) {
  return {field.data(), static_cast<size_t>(field.size())};
}

// Fewer bytes are compared in the time that a call takes to start.
constexpr size_t kLeastGuessedBytes = size_t{256} << 10;

// Bit by bit, and not as floats: -0 is another input than 0.
template <typename T>
bool Equal(absl::Span<const T> a, absl::Span<const T> b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

MeshView ViewOf(const KnownMesh& mesh) { return {SpanOf(mesh.vertices), SpanOf(mesh.triangles)}; }

bool Equal(const KnownMesh& known, const MeshView& mesh) {
  const MeshView view = ViewOf(known);
  return Equal(view.vertices, mesh.vertices) && Equal(view.triangles, mesh.triangles);
}

bool OfOneSize(const KnownMesh& known, const MeshView& mesh) {
  const MeshView view = ViewOf(known);
  return view.vertices.size() == mesh.vertices.size() &&
         view.triangles.size() == mesh.triangles.size();
}

}  // namespace

size_t KnownMesh::bytes() const {
  return SpanOf(vertices).size() * sizeof(float) + SpanOf(triangles).size() * sizeof(uint32_t);
}

std::shared_ptr<const KnownMesh> KnownMeshes::Find(const MeshView& mesh) {
  absl::MutexLock lock(&mutex_);
  const auto found = FindEqual(mesh);
  repeated_ = found != meshes_.end() && found == meshes_.begin();
  if (found == meshes_.end()) return nullptr;
  meshes_.splice(meshes_.begin(), meshes_, found);
  return meshes_.front();
}

std::shared_ptr<const KnownMesh> KnownMeshes::Guess(const MeshView& mesh) {
  absl::MutexLock lock(&mutex_);
  if (!repeated_) return nullptr;
  const std::shared_ptr<const KnownMesh>& last = meshes_.front();
  return last->bytes() >= kLeastGuessedBytes && OfOneSize(*last, mesh) ? last : nullptr;
}

bool KnownMeshes::IsRight(const std::shared_ptr<const KnownMesh>& guess, const MeshView& mesh) {
  const bool right = Equal(*guess, mesh);
  absl::MutexLock lock(&mutex_);
  if (!right) repeated_ = false;
  return right;
}

void KnownMeshes::Remember(std::shared_ptr<const KnownMesh> mesh) {
  const size_t bytes = mesh->bytes();
  if (bytes > max_bytes_ / 2) return;
  Meshes dropped;  // destroyed outside the lock
  absl::MutexLock lock(&mutex_);
  const auto found = FindEqual(ViewOf(*mesh));
  if (found != meshes_.end()) Drop(found, dropped);
  repeated_ = false;
  while (!meshes_.empty() && used_ + bytes > max_bytes_) {
    Drop(std::prev(meshes_.end()), dropped);
  }
  meshes_.push_front(std::move(mesh));
  used_ += bytes;
}

KnownMeshes::Meshes::iterator KnownMeshes::FindEqual(const MeshView& mesh) {
  return std::find_if(meshes_.begin(), meshes_.end(),
                      [&](const auto& known) { return Equal(*known, mesh); });
}

void KnownMeshes::Drop(Meshes::iterator mesh, Meshes& dropped) {
  used_ -= (*mesh)->bytes();
  dropped.splice(dropped.begin(), meshes_, mesh);
}

}  // namespace blendwire::client

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_PREPARED_MESH_H_
#define BLENDWIRE_PREDICT_PREPARED_MESH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/mirror.h"
#include "mesh/rigid_parts.h"
#include "mesh/stretch.h"
#include "predict/derived_mesh.h"
#include "predict/mesh_cache.h"

namespace blendwire::predict {

// A mesh that has passed validation, with what is worked out of it. Safe for use from several
// threads at once.
class PreparedMesh {
 public:
  // The memory stays the caller's and must outlive this object. INVALID_ARGUMENT as
  // mesh::ValidateVertices and mesh::ValidateTriangles say.
  static absl::StatusOr<std::shared_ptr<const PreparedMesh>> Create(
      absl::Span<const float> vertices, int64_t vertex_count, absl::Span<const uint32_t> triangles,
      MeshCache& cache);

  // One that the cache has given out, and that has passed before.
  static std::shared_ptr<const PreparedMesh> Of(std::shared_ptr<const KnownMesh> known);

  size_t vertex_count() const { return mesh_.vertices.size() / 3; }
  absl::Span<const float> vertices() const { return mesh_.vertices; }
  absl::Span<const uint32_t> triangles() const { return mesh_.triangles; }

  // Shared with every mesh of equal content that the cache remembers.
  const std::shared_ptr<const DerivedMesh>& derived() const { return known_->derived; }

  // Under which the cache finds it again; empty: it does not.
  const std::string& id() const { return known_->id; }

  // As DerivedMesh has them.
  absl::Span<const float> normals() const { return known_->derived->Normals(mesh_); }
  const mesh::Adjacency& adjacency() const { return known_->derived->Adjacency(mesh_); }
  const mesh::MirrorMap& mirror() const { return known_->derived->Mirror(mesh_); }
  const mesh::RigidParts& rigid_parts() const { return known_->derived->RigidParts(mesh_); }
  const mesh::ShortestEdges& shortest_edges() const { return known_->derived->ShortestEdges(mesh_); }

 private:
  PreparedMesh(const MeshView& mesh, std::shared_ptr<const KnownMesh> known)
      : mesh_(mesh), known_(std::move(known)) {}

  MeshView mesh_;
  std::shared_ptr<const KnownMesh> known_;
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_PREPARED_MESH_H_

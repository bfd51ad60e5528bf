// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_PREPARED_MESH_H_
#define BLENDWIRE_PREDICT_PREPARED_MESH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/call_once.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "mesh/adjacency.h"

namespace blendwire::predict {

// A mesh that has passed validation, and what is worked out of it once for all its expressions, each
// when it is first needed. Safe for use from several threads at once.
class PreparedMesh {
 public:
  // The memory stays the caller's and must outlive this object. INVALID_ARGUMENT as
  // mesh::ValidateVertices and mesh::ValidateTriangles say.
  static absl::StatusOr<std::shared_ptr<const PreparedMesh>> Create(
      absl::Span<const float> vertices, int64_t vertex_count,
      absl::Span<const uint32_t> triangles);

  size_t vertex_count() const { return vertices_.size() / 3; }
  absl::Span<const float> vertices() const { return vertices_; }

  // [N,3] unit length; zeros without triangles, which tells a model that they are unknown.
  absl::Span<const float> normals() const;

  // From the triangles, or from nearest neighbours without them.
  const mesh::Adjacency& adjacency() const;

 private:
  PreparedMesh(absl::Span<const float> vertices, absl::Span<const uint32_t> triangles)
      : vertices_(vertices), triangles_(triangles) {}

  absl::Span<const float> vertices_;
  absl::Span<const uint32_t> triangles_;
  mutable absl::once_flag normals_once_;
  mutable std::vector<float> normals_;
  mutable absl::once_flag adjacency_once_;
  mutable mesh::Adjacency adjacency_;
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_PREPARED_MESH_H_

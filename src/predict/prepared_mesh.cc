// SPDX-License-Identifier: Apache-2.0

#include "predict/prepared_mesh.h"

#include <utility>

#include "mesh/vertices.h"

namespace blendwire::predict {

absl::StatusOr<std::shared_ptr<const PreparedMesh>> PreparedMesh::Create(
    absl::Span<const float> vertices, int64_t vertex_count, absl::Span<const uint32_t> triangles,
    MeshCache& cache) {
  if (absl::Status s = mesh::ValidateVertices(vertices, vertex_count); !s.ok()) return s;
  if (absl::Status s = mesh::ValidateTriangles(triangles, vertex_count); !s.ok()) return s;
  const MeshView mesh{vertices, triangles};
  return std::shared_ptr<const PreparedMesh>(new PreparedMesh(mesh, cache.Get(mesh)));
}

std::shared_ptr<const PreparedMesh> PreparedMesh::Of(std::shared_ptr<const KnownMesh> known) {
  const MeshView mesh = known->view();
  return std::shared_ptr<const PreparedMesh>(new PreparedMesh(mesh, std::move(known)));
}

}  // namespace blendwire::predict

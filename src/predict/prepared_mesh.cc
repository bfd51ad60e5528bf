// SPDX-License-Identifier: Apache-2.0

#include "predict/prepared_mesh.h"

#include "mesh/normals.h"
#include "mesh/vertices.h"

namespace blendwire::predict {

absl::StatusOr<std::shared_ptr<const PreparedMesh>> PreparedMesh::Create(
    absl::Span<const float> vertices, int64_t vertex_count,
    absl::Span<const uint32_t> triangles) {
  if (absl::Status s = mesh::ValidateVertices(vertices, vertex_count); !s.ok()) return s;
  if (absl::Status s = mesh::ValidateTriangles(triangles, vertex_count); !s.ok()) return s;
  return std::shared_ptr<const PreparedMesh>(new PreparedMesh(vertices, triangles));
}

absl::Span<const float> PreparedMesh::normals() const {
  absl::call_once(normals_once_, [this] {
    normals_ = triangles_.empty() ? std::vector<float>(vertices_.size(), 0.0f)
                                  : mesh::VertexNormals(adjacency(), vertices_, triangles_);
  });
  return normals_;
}

const mesh::Adjacency& PreparedMesh::adjacency() const {
  absl::call_once(adjacency_once_, [this] {
    adjacency_ = triangles_.empty() ? mesh::Adjacency::FromNearestNeighbours(vertices_)
                                    : mesh::Adjacency::FromTriangles(vertices_, triangles_);
  });
  return adjacency_;
}

}  // namespace blendwire::predict

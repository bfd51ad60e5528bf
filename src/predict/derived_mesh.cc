// SPDX-License-Identifier: Apache-2.0

#include "predict/derived_mesh.h"

#include "mesh/normals.h"

namespace blendwire::predict {

absl::Span<const float> DerivedMesh::Normals(const MeshView& mesh) const {
  std::call_once(normals_once_, [&] {
    normals_ = mesh.triangles.empty()
                   ? std::vector<float>(mesh.vertices.size(), 0.0f)
                   : mesh::VertexNormals(Adjacency(mesh), mesh.vertices, mesh.triangles);
  });
  return normals_;
}

const mesh::Adjacency& DerivedMesh::Adjacency(const MeshView& mesh) const {
  std::call_once(adjacency_once_, [&] {
    adjacency_ = mesh.triangles.empty()
                     ? mesh::Adjacency::FromNearestNeighbours(mesh.vertices)
                     : mesh::Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  });
  return adjacency_;
}

const mesh::MirrorMap& DerivedMesh::Mirror(const MeshView& mesh) const {
  std::call_once(mirror_once_, [&] {
    mirror_ = mesh::MirrorMap::Build(Adjacency(mesh), mesh.vertices, Normals(mesh));
  });
  return mirror_;
}

const mesh::RigidParts& DerivedMesh::RigidParts(const MeshView& mesh) const {
  std::call_once(rigid_parts_once_, [&] {
    rigid_parts_ = mesh::RigidParts::Build(Adjacency(mesh), mesh.vertices, mesh.triangles);
  });
  return rigid_parts_;
}

const mesh::ShortestEdges& DerivedMesh::ShortestEdges(const MeshView& mesh) const {
  std::call_once(shortest_edges_once_, [&] {
    if (mesh.triangles.empty()) return;
    shortest_edges_ = mesh::ShortestEdges::Build(Adjacency(mesh), mesh.vertices);
  });
  return shortest_edges_;
}

}  // namespace blendwire::predict

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_DERIVED_MESH_H_
#define BLENDWIRE_PREDICT_DERIVED_MESH_H_

#include <cstdint>
#include <mutex>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/mirror.h"
#include "mesh/rigid_parts.h"
#include "mesh/stretch.h"

namespace blendwire::predict {

// The memory of a valid mesh, somebody else's.
struct MeshView {
  absl::Span<const float> vertices;      // [N,3] metres
  absl::Span<const uint32_t> triangles;  // [T,3], may be empty
};

// What is worked out of a mesh, each when it is first needed. It holds no part of the mesh itself,
// so that it can serve every mesh of equal content: all calls must be given views of equal content.
// Safe for use from several threads at once.
class DerivedMesh {
 public:
  // [N,3] unit length; zeros without triangles, which tells a model that they are unknown.
  absl::Span<const float> Normals(const MeshView& mesh) const;

  // From the triangles, or from nearest neighbours without them.
  const mesh::Adjacency& Adjacency(const MeshView& mesh) const;

  // What is symmetric about it.
  const mesh::MirrorMap& Mirror(const MeshView& mesh) const;

  // Teeth, eyeballs and the like; none without triangles.
  const mesh::RigidParts& RigidParts(const MeshView& mesh) const;

  // Unknown without triangles.
  const mesh::ShortestEdges& ShortestEdges(const MeshView& mesh) const;

 private:
  // Not absl::call_once(), out of which an allocation that fails may not throw.
  mutable std::once_flag normals_once_;
  mutable std::vector<float> normals_;
  mutable std::once_flag adjacency_once_;
  mutable mesh::Adjacency adjacency_;
  mutable std::once_flag mirror_once_;
  mutable mesh::MirrorMap mirror_;
  mutable std::once_flag rigid_parts_once_;
  mutable mesh::RigidParts rigid_parts_;
  mutable std::once_flag shortest_edges_once_;
  mutable mesh::ShortestEdges shortest_edges_;
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_DERIVED_MESH_H_

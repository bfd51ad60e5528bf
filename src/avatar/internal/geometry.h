// SPDX-License-Identifier: Apache-2.0
//
// The meshes of a document as one list of vertices and triangles in contract axes, and the way
// back: from that list to each primitive's own vertices and axes.

#ifndef BLENDWIRE_AVATAR_INTERNAL_GEOMETRY_H_
#define BLENDWIRE_AVATAR_INTERNAL_GEOMETRY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "avatar/avatar.h"
#include "avatar/internal/document.h"
#include "avatar/internal/transform.h"

namespace blendwire::avatar {

// The vertices that one or more primitives of a mesh share: exporters often cut one set of vertices
// into several primitives, one per material.
struct VertexGroup {
  std::vector<size_t> primitives;  // in the mesh
  std::vector<uint32_t> list;      // of each vertex, its index in the list
  std::vector<float> normals;      // [n,3] flattened, mesh space; empty if there are none
};

// What one mesh has in the list. A mesh that several nodes show stands where the first one puts it.
struct MeshPart {
  size_t mesh = 0;  // in the document
  MeshInfo info;
  std::vector<VertexGroup> groups;
};

struct Geometry {
  std::vector<float> vertices;        // [N,3] flattened, contract axes, metres
  std::vector<uint32_t> triangles;    // [T,3] flattened
  std::vector<float> mesh_positions;  // [N,3] flattened, mesh space
  // Takes an offset in contract axes to mesh space; one per mesh, or per vertex of a skinned mesh.
  std::vector<Mat3> to_mesh;
  std::vector<uint32_t> to_mesh_index;  // [N]
  std::vector<MeshPart> parts;          // in the order of the list
  std::vector<std::string> warnings;
};

absl::StatusOr<Geometry> ReadGeometry(const Document& document, const ReadOptions& options);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_GEOMETRY_H_

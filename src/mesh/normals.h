// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_NORMALS_H_
#define BLENDWIRE_MESH_NORMALS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"

namespace blendwire::mesh {

// The unit normal of every vertex, [N,3] flattened: the sum of its triangles' cross products, which
// weighs each triangle by its area, made unit length. Counter-clockwise triangles face outwards.
// Welded vertices (mesh/adjacency.h) share one normal, so a seam does not show. Zero for a vertex
// without triangles or whose triangles cancel out or have no area.
//
// The input must have passed ValidateVertices and ValidateTriangles.
std::vector<float> VertexNormals(absl::Span<const float> vertices,
                                 absl::Span<const uint32_t> triangles);

// The same, for a caller who has Adjacency::FromTriangles of this mesh already.
std::vector<float> VertexNormals(const Adjacency& adjacency, absl::Span<const float> vertices,
                                 absl::Span<const uint32_t> triangles);

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_NORMALS_H_

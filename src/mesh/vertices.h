// SPDX-License-Identifier: Apache-2.0
//
// Checks of what a caller sends as a mesh. Everything else in mesh/ relies on them.

#ifndef BLENDWIRE_MESH_VERTICES_H_
#define BLENDWIRE_MESH_VERTICES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace blendwire::mesh {

// INVALID_ARGUMENT unless `vertices`, [N,3] flattened, holds exactly 3 * vertex_count finite values
// and at least one vertex. The message names the field, the value and what would be right.
absl::Status ValidateVertices(absl::Span<const float> vertices, int64_t vertex_count);

// INVALID_ARGUMENT unless `triangles`, [T,3] flattened, holds three indices below `vertex_count`
// for each triangle. No triangles at all are fine. A triangle may name a vertex twice: artists'
// meshes have such, and they only lack an area.
absl::Status ValidateTriangles(absl::Span<const uint32_t> triangles, int64_t vertex_count);

// Whether no value is NaN or infinite. A fraction of a millisecond per 100,000 vertices.
bool AllFinite(absl::Span<const float> values);

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_VERTICES_H_

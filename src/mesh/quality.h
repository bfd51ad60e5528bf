// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_QUALITY_H_
#define BLENDWIRE_MESH_QUALITY_H_

#include <cstddef>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/smoothing.h"

namespace blendwire::mesh {

// An offset longer than this, in metres, is hardly part of a facial expression.
inline constexpr float kExtremeDisplacement = 0.08f;

struct Quality {
  float mean_displacement = 0.0f;  // metres, over all vertices
  float max_displacement = 0.0f;   // metres
  size_t extreme_vertices = 0;     // displaced by more than kExtremeDisplacement
  float smoothness = 1.0f;         // 0 to 1, see MeasureQuality
};

// `offsets` is [N,3] flattened in metres, N = adjacency.vertex_count().
//
//   smoothness = max(0, 1 - sum_v |d_v - m_v|^2 / sum_v |d_v|^2)
//
// over the vertices that have neighbours, d_v being the vertex's offset and m_v the mean of its
// neighbours' (of a neighbour that is several welded vertices, their mean). It is 1 where
// neighbours move alike, or nothing moves; independent noise of one variance gives |d - m|^2 = (1 +
// 1/k) |d|^2 on average for k neighbours, hence 0. Not a property of the mesh's scale or of the
// expression's strength: both cancel.
Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets,
                       SmoothingScratch& scratch);
Quality MeasureQuality(const Adjacency& adjacency, absl::Span<const float> offsets);

// The same right after LimitStretch() with this `scratch`, if nothing has changed the offsets since.
Quality MeasureLimitedQuality(const Adjacency& adjacency, absl::Span<const float> offsets,
                            SmoothingScratch& scratch);

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_QUALITY_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_POLYGON_H_
#define BLENDWIRE_AVATAR_INTERNAL_POLYGON_H_

#include <array>
#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "avatar/internal/transform.h"

namespace blendwire::avatar {

// A polygon's corners cut into triangles with the same direction of turning: n - 2 of them, by ear
// clipping, so that hollow polygons come out right; a fan for one with more than 256 corners.
std::vector<std::array<size_t, 3>> TriangulatePolygon(absl::Span<const Vec3> corners);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_POLYGON_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_MIRROR_PLANE_H_
#define BLENDWIRE_MESH_INTERNAL_MIRROR_PLANE_H_

#include "absl/types/span.h"
#include "mesh/internal/point_grid.h"
#include "mesh/internal/surface.h"

namespace blendwire::mesh::internal {

inline Vector Mirrored(const Vector& position, double plane) {
  return {2.0 * plane - position[0], position[1], position[2]};
}

// The x of the plane about which most points have a mirror image among the points, judged by a
// sample of them. Tried are the middle of `low` to `high` (the points' box), 0, and, should neither
// do, the plane that most pairs of points at equal heights and depths speak for, so that a shock of
// hair on one side does not hide a symmetric face wherever the head stands.
double FindMirrorPlane(absl::Span<const Vector> points, const PointGrid& grid, double reach,
                       const Vector& low, const Vector& high);

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_MIRROR_PLANE_H_

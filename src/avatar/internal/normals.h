// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_NORMALS_H_
#define BLENDWIRE_AVATAR_INTERNAL_NORMALS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "avatar/internal/transform.h"

namespace blendwire::avatar {

// Of each vertex the mean direction of its triangles' normals, weighted by their areas; {0, 0, 0}
// for one without triangles. `positions`: [n,3] flattened; `triangles`: [T,3] flattened indices,
// from which `first_vertex` is taken off.
std::vector<Vec3> SmoothNormals(absl::Span<const double> positions,
                                absl::Span<const uint32_t> triangles, uint32_t first_vertex);

// What the turn that takes the unit vector `from` to the unit vector `to` on the shortest way adds
// to `normal`. {0, 0, 0} if either of them has no length, or they are opposite.
Vec3 TurnedBy(const Vec3& normal, const Vec3& from, const Vec3& to);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_NORMALS_H_

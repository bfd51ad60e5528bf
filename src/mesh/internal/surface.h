// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_SURFACE_H_
#define BLENDWIRE_MESH_INTERNAL_SURFACE_H_

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace blendwire::mesh::internal {

// In double, where no finite float overflows when it is multiplied.
using Vector = std::array<double, 3>;

inline Vector At(absl::Span<const float> values, size_t i) {
  return {double{values[3 * i]}, double{values[3 * i + 1]}, double{values[3 * i + 2]}};
}
inline Vector Minus(const Vector& a, const Vector& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
// a + times b.
inline Vector Plus(const Vector& a, const Vector& b, double times = 1.0) {
  return {a[0] + times * b[0], a[1] + times * b[1], a[2] + times * b[2]};
}
inline double Dot(const Vector& a, const Vector& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
inline Vector Cross(const Vector& a, const Vector& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

// Adds to each vertex's group the cross products of its triangles (twice their areas);
// `group_of` [N] names the group, of which there are `group_count`.
std::vector<Vector> AreaVectors(absl::Span<const float> vertices,
                                absl::Span<const uint32_t> triangles,
                                absl::Span<const uint32_t> group_of, size_t group_count);

// Makes each unit length; what has no direction becomes zero.
void Normalize(absl::Span<Vector> vectors);

// For each vertex 1 if its triangles close around it, 0 if it lies on an open side, has no
// triangles, or they disagree about which side is outside.
std::vector<uint8_t> InteriorVertices(absl::Span<const uint32_t> triangles, size_t vertex_count);

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_SURFACE_H_

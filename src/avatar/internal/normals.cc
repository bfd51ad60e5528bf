// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/normals.h"

namespace blendwire::avatar {

std::vector<Vec3> SmoothNormals(absl::Span<const double> positions,
                                absl::Span<const uint32_t> triangles, uint32_t first_vertex) {
  std::vector<Vec3> normals(positions.size() / 3, Vec3{0, 0, 0});
  const auto at = [&](size_t i) {
    return Vec3{positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]};
  };
  for (size_t t = 0; t + 2 < triangles.size(); t += 3) {
    const uint32_t a = triangles[t] - first_vertex;
    const uint32_t b = triangles[t + 1] - first_vertex;
    const uint32_t c = triangles[t + 2] - first_vertex;
    // Its length is twice the triangle's area.
    const Vec3 normal = Cross(at(b) - at(a), at(c) - at(a));
    for (const uint32_t corner : {a, b, c}) normals[corner] = normals[corner] + normal;
  }
  for (Vec3& normal : normals) {
    const double length = Length(normal);
    normal = length > 0 ? (1.0 / length) * normal : Vec3{0, 0, 0};
  }
  return normals;
}

Vec3 TurnedBy(const Vec3& normal, const Vec3& from, const Vec3& to) {
  const double cosine = Dot(from, to);
  const Vec3 axis = Cross(from, to);
  if (Dot(from, from) == 0 || Dot(to, to) == 0 || cosine < -1 + 1e-9) return {0, 0, 0};
  // Rodrigues' rotation formula, with the axis as long as the angle's sine.
  const Vec3 once = Cross(axis, normal);
  return once + (1.0 / (1.0 + cosine)) * Cross(axis, once);
}

}  // namespace blendwire::avatar

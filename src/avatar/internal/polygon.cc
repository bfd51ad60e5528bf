// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/polygon.h"

#include <algorithm>
#include <numeric>

namespace blendwire::avatar {
namespace {

constexpr size_t kMostForEarClipping = 256;

// Newell's method: right for hollow and slightly bent polygons too.
Vec3 PolygonNormal(absl::Span<const Vec3> corners) {
  Vec3 normal = {0, 0, 0};
  for (size_t i = 0; i < corners.size(); ++i) {
    normal = normal + Cross(corners[i], corners[(i + 1) % corners.size()]);
  }
  return normal;
}

// On which side of the edge a-b the point lies, seen against `normal`: positive is inside.
double Side(const Vec3& a, const Vec3& b, const Vec3& point, const Vec3& normal) {
  return Dot(Cross(b - a, point - a), normal);
}

bool IsEar(absl::Span<const Vec3> corners, const std::vector<size_t>& left, size_t at,
           const Vec3& normal) {
  const size_t before = left[(at + left.size() - 1) % left.size()];
  const size_t after = left[(at + 1) % left.size()];
  const Vec3& a = corners[before];
  const Vec3& b = corners[left[at]];
  const Vec3& c = corners[after];
  if (Side(a, b, c, normal) <= 0) return false;
  return std::none_of(left.begin(), left.end(), [&](size_t other) {
    if (other == before || other == left[at] || other == after) return false;
    const Vec3& p = corners[other];
    return Side(a, b, p, normal) >= 0 && Side(b, c, p, normal) >= 0 && Side(c, a, p, normal) >= 0;
  });
}

}  // namespace

std::vector<std::array<size_t, 3>> TriangulatePolygon(absl::Span<const Vec3> corners) {
  std::vector<std::array<size_t, 3>> triangles;
  std::vector<size_t> left(corners.size());
  std::iota(left.begin(), left.end(), size_t{0});
  if (corners.size() > kMostForEarClipping) {
    for (size_t i = 1; i + 1 < left.size(); ++i) triangles.push_back({0, i, i + 1});
    return triangles;
  }
  const Vec3 normal = PolygonNormal(corners);
  while (left.size() > 3) {
    // A polygon that crosses itself may have no ear: then any corner will do. The second is first,
    // so that a convex polygon becomes the fan that every other program makes of it.
    size_t ear = 1;
    for (size_t i = 0; i < left.size(); ++i) {
      const size_t candidate = (1 + i) % left.size();
      if (IsEar(corners, left, candidate, normal)) {
        ear = candidate;
        break;
      }
    }
    const size_t n = left.size();
    triangles.push_back({left[(ear + n - 1) % n], left[ear], left[(ear + 1) % n]});
    left.erase(left.begin() + static_cast<std::ptrdiff_t>(ear));
  }
  if (left.size() == 3) triangles.push_back({left[0], left[1], left[2]});
  return triangles;
}

}  // namespace blendwire::avatar

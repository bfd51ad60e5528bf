// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/surface.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/types/span.h"

namespace blendwire::mesh::internal {
namespace {

// Spreads consecutive indices over all bits (the finaliser of splitmix64), so that sums of
// different indices practically never agree by chance.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

}  // namespace

std::vector<Vector> AreaVectors(absl::Span<const float> vertices,
                                absl::Span<const uint32_t> triangles,
                                absl::Span<const uint32_t> group_of, size_t group_count) {
  std::vector<Vector> sums(group_count, Vector{});
  for (size_t t = 0; t + 2 < triangles.size(); t += 3) {
    const Vector corner = At(vertices, triangles[t]);
    const Vector cross = Cross(Minus(At(vertices, triangles[t + 1]), corner),
                               Minus(At(vertices, triangles[t + 2]), corner));
    for (size_t c = 0; c < 3; ++c) {
      Vector& sum = sums[group_of[triangles[t + c]]];
      for (size_t axis = 0; axis < 3; ++axis) sum[axis] += cross[axis];
    }
  }
  return sums;
}

void Normalize(absl::Span<Vector> vectors) {
  for (Vector& vector : vectors) {
    const double length = std::sqrt(Dot(vector, vector));
    // Below, the direction would be rounding noise.
    const bool has_direction = length > std::numeric_limits<double>::min();
    for (double& value : vector) value = has_direction ? value / length : 0.0;
  }
}

std::vector<uint8_t> InteriorVertices(absl::Span<const uint32_t> triangles, size_t vertex_count) {
  // Around a vertex with triangles on all sides each neighbour is the next corner of one triangle
  // and the previous corner of another, so the two sums agree. On an open side the first and the
  // last neighbour are left over.
  std::vector<uint64_t> next_minus_previous(vertex_count, 0);
  std::vector<uint8_t> interior(vertex_count, 0);
  for (size_t t = 0; t + 2 < triangles.size(); t += 3) {
    const uint32_t corner[3] = {triangles[t], triangles[t + 1], triangles[t + 2]};
    const uint64_t mixed[3] = {Mix(corner[0] + 1u), Mix(corner[1] + 1u), Mix(corner[2] + 1u)};
    for (size_t c = 0; c < 3; ++c) {
      next_minus_previous[corner[c]] += mixed[(c + 1) % 3] - mixed[(c + 2) % 3];
      interior[corner[c]] = 1;
    }
  }
  for (size_t v = 0; v < vertex_count; ++v) {
    if (next_minus_previous[v] != 0) interior[v] = 0;
  }
  return interior;
}

}  // namespace blendwire::mesh::internal

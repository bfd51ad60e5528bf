// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/point_grid.h"

#include <bit>

namespace blendwire::mesh::internal {

PointGrid::PointGrid(absl::Span<const Vector> points, const Vector& low, double reach)
    : points_(points),
      low_(low),
      reach_(reach),
      cells_per_metre_(1.0 / (reach * kCell)),
      heads_(std::bit_ceil(2 * points.size() + 1), kNone),
      next_(points.size()),
      cells_(points.size()) {
  for (size_t i = 0; i < points.size(); ++i) {
    std::array<uint64_t, 3> cell;
    for (size_t axis = 0; axis < 3; ++axis) {
      cell[axis] = static_cast<uint64_t>(Coordinate(points[i][axis], axis));
    }
    cells_[i] = Key(cell[0], cell[1], cell[2]);
    uint32_t& head = heads_[Bucket(cells_[i])];
    next_[i] = head;
    head = static_cast<uint32_t>(i);
  }
}

}  // namespace blendwire::mesh::internal

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_POINT_GRID_H_
#define BLENDWIRE_MESH_INTERNAL_POINT_GRID_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/types/span.h"
#include "mesh/internal/surface.h"

namespace blendwire::mesh::internal {

// Finds the points within a fixed distance of any place, through a hash table of grid cells.
class PointGrid {
 public:
  // `reach` must be positive; a box of 1e6 reaches may hold the points. Refers to `points`.
  PointGrid(absl::Span<const Vector> points, const Vector& low, double reach);

  // Calls visit(point, squared distance) for each point within reach of `place`. Of a cell that is
  // crammed with points only some are looked at, so that no mesh makes this slow.
  template <typename Visit>
  void ForEachNear(const Vector& place, Visit visit) const {
    std::array<uint64_t, 3> first;
    std::array<uint64_t, 3> last;
    for (size_t axis = 0; axis < 3; ++axis) {
      const double coordinate = Coordinate(place[axis], axis);
      // Beyond the box there is nothing.
      if (!(coordinate >= 1.0 && coordinate <= kMaxCells)) return;
      first[axis] = static_cast<uint64_t>(coordinate - 1.0 / kCell);
      last[axis] = static_cast<uint64_t>(coordinate + 1.0 / kCell);
    }
    for (uint64_t x = first[0]; x <= last[0]; ++x) {
      for (uint64_t y = first[1]; y <= last[1]; ++y) {
        for (uint64_t z = first[2]; z <= last[2]; ++z) VisitCell(Key(x, y, z), place, visit);
      }
    }
  }

 private:
  static constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
  // A cell's edge in reaches. Larger: a place seldom needs a second cell. Smaller: a cell seldom
  // holds a second point.
  static constexpr double kCell = 8.0;
  static constexpr double kMaxCells = double{1 << 20};
  static constexpr int kMaxVisits = 256;

  // In cells, at least 1 within the box.
  double Coordinate(double value, size_t axis) const {
    return (value - low_[axis]) * cells_per_metre_ + 1.5;
  }
  static uint64_t Key(uint64_t x, uint64_t y, uint64_t z) { return (x << 42) | (y << 21) | z; }
  size_t Bucket(uint64_t cell) const {
    const uint64_t hash = cell * 0x9e3779b97f4a7c15u;
    return (hash ^ (hash >> 32)) & (heads_.size() - 1);
  }

  template <typename Visit>
  void VisitCell(uint64_t cell, const Vector& place, Visit& visit) const {
    int visits = 0;
    for (uint32_t i = heads_[Bucket(cell)]; i != kNone; i = next_[i]) {
      if (++visits > kMaxVisits) return;
      const Vector apart = Minus(points_[i], place);
      const double squared = Dot(apart, apart);
      // The cell is compared, too: two cells in one bucket would show a point twice.
      if (squared <= reach_ * reach_ && cells_[i] == cell) visit(i, squared);
    }
  }

  absl::Span<const Vector> points_;
  Vector low_;
  double reach_;
  double cells_per_metre_;
  std::vector<uint32_t> heads_;  // a power of two
  std::vector<uint32_t> next_;   // of each point, in its bucket
  std::vector<uint64_t> cells_;  // of each point
};

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_POINT_GRID_H_

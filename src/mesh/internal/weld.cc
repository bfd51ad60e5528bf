// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/weld.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "absl/types/span.h"
#include "mesh/internal/surface.h"

namespace blendwire::mesh::internal {
namespace {

constexpr double kRelativeTolerance = 1e-6;  // of the bounding box's diagonal
constexpr double kOpposed = -0.5;            // dot product of two normals
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();

// A cell's edge in tolerances. Larger: a vertex seldom needs a second cell. Smaller: a cell seldom
// holds a second node. The diagonal is 1e6 tolerances, so three cell numbers fit into 64 bits.
constexpr double kCell = 8.0;

struct Bounds {
  Vector low{};
  double diagonal = 0.0;
};

Bounds FindBounds(absl::Span<const float> vertices) {
  Bounds bounds{At(vertices, 0), 0.0};
  Vector high = bounds.low;
  for (size_t v = 1; v < vertices.size() / 3; ++v) {
    const Vector position = At(vertices, v);
    for (size_t axis = 0; axis < 3; ++axis) {
      bounds.low[axis] = std::min(bounds.low[axis], position[axis]);
      high[axis] = std::max(high[axis], position[axis]);
    }
  }
  const Vector extent = Minus(high, bounds.low);
  bounds.diagonal = std::sqrt(Dot(extent, extent));
  return bounds;
}

// The nodes made so far, found by position through a hash table of grid cells.
class NodeGrid {
 public:
  NodeGrid(const Bounds& bounds, size_t capacity)
      : low_(bounds.low),
        tolerance_(bounds.diagonal * kRelativeTolerance),
        // With no extent at all every position is in cell 0.
        cells_per_metre_(tolerance_ > 0.0 ? 1.0 / (tolerance_ * kCell) : 0.0),
        heads_(std::bit_ceil(2 * capacity), kNone) {
    nodes_.reserve(capacity);
  }

  // The node that a vertex belongs to, a new one if need be. `normal` has unit length, or is zero
  // when there is none; `interior` as of InteriorVertices.
  uint32_t Place(const Vector& position, const Vector& normal, bool interior) {
    const uint32_t found = FindBest(position, normal, interior);
    if (found == kNone) return Add(position, normal, interior);
    Node& node = nodes_[found];
    node.interior = node.interior || interior;
    if (Dot(node.normal, node.normal) == 0.0) node.normal = normal;
    return found;
  }

 private:
  struct Node {
    Vector position;
    Vector normal;
    uint64_t cell;
    uint32_t next;  // in the same bucket
    bool interior;
  };

  uint64_t CellNumber(double coordinate, size_t axis) const {
    // Half a cell off, so that a mesh's outermost vertices do not lie on a border between cells;
    // and never negative for a position within tolerance of the box.
    // NOLINTNEXTLINE(bugprone-incorrect-roundings): it is not to be rounded.
    return static_cast<uint64_t>((coordinate - low_[axis]) * cells_per_metre_ + 0.5);
  }

  static uint64_t Key(uint64_t x, uint64_t y, uint64_t z) { return (x << 42) | (y << 21) | z; }

  uint32_t& Head(uint64_t cell) {
    const uint64_t hash = cell * 0x9e3779b97f4a7c15u;
    return heads_[(hash ^ (hash >> 32)) & (heads_.size() - 1)];
  }

  uint32_t Add(const Vector& position, const Vector& normal, bool interior) {
    const uint64_t cell =
        Key(CellNumber(position[0], 0), CellNumber(position[1], 1), CellNumber(position[2], 2));
    const auto node = static_cast<uint32_t>(nodes_.size());
    uint32_t& head = Head(cell);
    nodes_.push_back({position, normal, cell, head, interior});
    head = node;
    return node;
  }

  uint32_t FindBest(const Vector& position, const Vector& normal, bool interior) {
    std::array<uint64_t, 3> low;
    std::array<uint64_t, 3> high;
    for (size_t axis = 0; axis < 3; ++axis) {
      low[axis] = CellNumber(position[axis] - tolerance_, axis);
      high[axis] = CellNumber(position[axis] + tolerance_, axis);
    }
    uint32_t best = kNone;
    double best_dot = -2.0;
    for (uint64_t x = low[0]; x <= high[0]; ++x) {
      for (uint64_t y = low[1]; y <= high[1]; ++y) {
        for (uint64_t z = low[2]; z <= high[2]; ++z) {
          const uint64_t cell = Key(x, y, z);
          for (uint32_t n = Head(cell); n != kNone; n = nodes_[n].next) {
            const Node& node = nodes_[n];
            if (node.cell != cell || (interior && node.interior)) continue;
            const Vector apart = Minus(position, node.position);
            if (Dot(apart, apart) > tolerance_ * tolerance_) continue;
            const double dot = Dot(normal, node.normal);
            if (dot < kOpposed) continue;
            if (dot > best_dot || (dot == best_dot && n < best)) {
              best = n;
              best_dot = dot;
            }
          }
        }
      }
    }
    return best;
  }

  const Vector low_;
  const double tolerance_;
  const double cells_per_metre_;
  std::vector<uint32_t> heads_;
  std::vector<Node> nodes_;
};

}  // namespace

Weld WeldVertices(absl::Span<const float> vertices, absl::Span<const uint32_t> triangles) {
  const size_t count = vertices.size() / 3;
  Weld weld;
  if (count == 0) return weld;

  std::vector<uint32_t> itself(count);
  std::iota(itself.begin(), itself.end(), 0u);
  std::vector<Vector> normals = AreaVectors(vertices, triangles, itself, count);
  Normalize(absl::MakeSpan(normals));
  const std::vector<uint8_t> interior = InteriorVertices(triangles, count);

  NodeGrid grid(FindBounds(vertices), count);
  weld.node_of.resize(count);
  for (size_t v = 0; v < count; ++v) {
    const uint32_t node = grid.Place(At(vertices, v), normals[v], interior[v] != 0);
    weld.node_of[v] = node;
    if (node == weld.first_vertex.size()) weld.first_vertex.push_back(static_cast<uint32_t>(v));
  }
  return weld;
}

}  // namespace blendwire::mesh::internal

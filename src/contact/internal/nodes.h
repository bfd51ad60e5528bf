// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTACT_INTERNAL_NODES_H_
#define BLENDWIRE_CONTACT_INTERNAL_NODES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "contact/contact.h"
#include "contact/internal/vector.h"

namespace blendwire::contact::internal {

// The whole mesh by nodes, for as long as a map is built.
struct Nodes {
  std::vector<Vector> positions;
  std::array<std::vector<float>, kMargins> margins;  // relative to the surest nodes: about 0..1
  std::array<double, kMargins> certainty{};          // of the surest nodes
  std::vector<uint32_t> piece;                       // connected piece of the mesh
  std::vector<uint32_t> piece_sizes;                 // nodes in each
  absl::FunctionRef<absl::Span<const uint32_t>(size_t)> neighbours;

  size_t piece_count() const { return piece_sizes.size(); }
  size_t count() const { return positions.size(); }
};

Nodes MakeNodes(const Surface& surface, absl::Span<const float> margins);

// Some nodes of the mesh and the edges between them, for walks over the surface that do not leave
// them. Nodes are named by their places in `members`.
class SurfaceGraph {
 public:
  SurfaceGraph(const Nodes& nodes, absl::Span<const uint32_t> members);

  // How far each is from the nearest of `seeds`; `limit` where it is farther.
  std::vector<double> Distances(absl::Span<const uint32_t> seeds, double limit) const;

  // The shortest way from one to another, both ends included; empty if it is longer than `limit`.
  std::vector<uint32_t> Path(uint32_t from, uint32_t to, double limit) const;

 private:
  struct Edge {
    uint32_t to;
    double length;
  };
  struct Walked;

  Walked Walk(absl::Span<const uint32_t> seeds, uint32_t to, double limit) const;

  std::vector<uint32_t> first_;  // [members + 1] where a node's edges begin
  std::vector<Edge> edges_;
};

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_NODES_H_

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

// Nodes of the mesh (`members`) and how far along the surface each is from the nearest `seeds`
// (indices into `members`), not walking over other nodes; `limit` where it is farther.
std::vector<double> SurfaceDistances(const Nodes& nodes, absl::Span<const uint32_t> members,
                                     absl::Span<const uint32_t> seeds, double limit);

// The shortest way over the surface from one member to another, both ends included; empty if it is
// longer than `limit`.
std::vector<uint32_t> SurfacePath(const Nodes& nodes, absl::Span<const uint32_t> members,
                                  uint32_t from, uint32_t to, double limit);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_NODES_H_

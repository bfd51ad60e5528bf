// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_SMOOTHING_H_
#define BLENDWIRE_MESH_SMOOTHING_H_

#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"
#include "mesh/internal/node_offsets.h"

namespace blendwire::mesh {

// Memory that SmoothOffsets and MeasureQuality need for their work. Whoever calls them often keeps
// one (per thread) and saves the allocation.
struct SmoothingScratch {
  std::vector<internal::Padded> from;
  std::vector<internal::Padded> to;
};

// Laplacian smoothing, in place. `offsets` is [N,3] flattened in metres with N the adjacency's
// vertex_count(). Each iteration replaces the offset d of every node at once by
//   d + 0.5 (m - d),   m = mean of the neighbours' offsets (each counting the same).
// The vertices of a node first get the mean of their offsets, so a seam that a model tore is
// closed; a node without neighbours keeps that. A field that is constant stays so, and no offset
// gets longer than the longest was. Nothing happens for iterations <= 0.
void SmoothOffsets(const Adjacency& adjacency, int iterations, absl::Span<float> offsets,
                   SmoothingScratch& scratch);
void SmoothOffsets(const Adjacency& adjacency, int iterations, absl::Span<float> offsets);

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_SMOOTHING_H_

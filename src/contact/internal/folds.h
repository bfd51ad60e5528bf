// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTACT_INTERNAL_FOLDS_H_
#define BLENDWIRE_CONTACT_INTERNAL_FOLDS_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "contact/internal/face_map.h"

namespace blendwire::contact::internal {

// Triangles of the region that face the other way than at rest when the nodes are moved by
// `scale` times the offsets: the share of the full expression does not matter to what is a fold.
size_t CountFolds(const FaceMap& face, absl::Span<const Vector> offsets, double scale);

// Evens the correction, which is the solution without the plain field, out over the surface: nodes
// that are not `pinned` move half way to the mean of their neighbours' corrections, `rounds` times.
void RelaxCorrection(const FaceMap& face, absl::Span<const Vector> field,
                     const std::vector<char>& pinned, int rounds, absl::Span<Vector> solution);

// Where `solution` folds the skin and the plain field does not, lets nodes give way that are not
// `pinned`: they take the mean of what their neighbours' corrections are. A few rounds of it.
void MendFolds(const FaceMap& face, absl::Span<const Vector> field, double scale,
               const std::vector<char>& pinned, absl::Span<Vector> solution);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_FOLDS_H_

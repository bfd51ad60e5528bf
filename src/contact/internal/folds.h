// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTACT_INTERNAL_FOLDS_H_
#define BLENDWIRE_CONTACT_INTERNAL_FOLDS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "contact/internal/vector.h"

namespace blendwire::contact::internal {

// A part's skin, and what moves it.
struct Skin {
  absl::Span<const Vector> positions;  // [locals] at rest
  absl::Span<const std::array<uint32_t, 3>> triangles;
  absl::Span<const Vector> field;  // [locals] the plain offsets
  // What is a fold is judged at the full expression, `scale` times the offsets.
  double scale = 1.0;
};

// Triangles that face the other way than at rest when the nodes are moved by `offsets`.
size_t CountFolds(const Skin& skin, absl::Span<const Vector> offsets);

// Edges (as often as triangles have them) that are stretched far beyond their length at rest and
// under the plain field.
size_t CountTears(const Skin& skin, absl::Span<const Vector> offsets);

// Evens the correction, which is the solution without the plain field, out over the surface: nodes
// that are not `pinned` move half way to the mean of their neighbours' corrections, `rounds` times.
void RelaxCorrection(const Skin& skin, const std::vector<char>& pinned, int rounds,
                     absl::Span<Vector> solution);

// Where `solution` folds the skin and the plain field does not, lets nodes give way that are not
// `pinned`: they take the mean of what their neighbours' corrections are. A few rounds of it.
void MendFolds(const Skin& skin, const std::vector<char>& pinned, absl::Span<Vector> solution);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_FOLDS_H_

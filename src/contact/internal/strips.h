// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTACT_INTERNAL_STRIPS_H_
#define BLENDWIRE_CONTACT_INTERNAL_STRIPS_H_

#include <vector>

#include "absl/types/span.h"
#include "contact/internal/face_map.h"
#include "contact/internal/nodes.h"
#include "contact/internal/rims.h"

namespace blendwire::contact::internal {

// The small pieces of mesh that stand on the lids' rims: lashes and liners, not the eyeball and its
// parts. `members` are the skin that they stand on.
std::vector<Strip> FindStrips(const Nodes& nodes, const Surroundings& around, const Rims& rims,
                              absl::Span<const Member> members, RegionBuilder& region);

// Strips go where the skin goes that they stand on: what the solution adds to the field there is
// added to theirs, and a strip whose own field goes elsewhere than its skin's takes its skin's.
void MoveStrips(absl::Span<const Strip> strips, absl::Span<const Vector> field,
                absl::Span<Vector> solution);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_STRIPS_H_

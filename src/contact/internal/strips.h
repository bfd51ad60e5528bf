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

// Gives strips the motion of the skin they stand on.
void MoveStrips(absl::Span<const Strip> strips, absl::Span<Vector> offsets);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_STRIPS_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTACT_INTERNAL_STRIPS_H_
#define BLENDWIRE_CONTACT_INTERNAL_STRIPS_H_

#include <vector>

#include "contact/internal/face_map.h"
#include "contact/internal/nodes.h"
#include "contact/internal/rims.h"

namespace blendwire::contact::internal {

// The small pieces of mesh that stand on the lids' rims, not the eyeball and its parts.
std::vector<Strip> FindStrips(const Nodes& nodes, const Surroundings& around, const Rims& rims,
                              RegionBuilder& region);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_STRIPS_H_

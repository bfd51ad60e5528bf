// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTACT_INTERNAL_MOUTH_H_
#define BLENDWIRE_CONTACT_INTERNAL_MOUTH_H_

#include <string>

#include "absl/types/span.h"
#include "contact/internal/face_map.h"
#include "contact/internal/nodes.h"

namespace blendwire::contact::internal {

// Fills `mouth`; returns why that is not possible, or an empty string. `face` is the frame that the
// eyes gave, or that of the contract's axes.
std::string BuildMouth(const Nodes& nodes, const Frame& face, RegionBuilder& region,
                       MouthMap& mouth);

// Reads the field and adds to the solution what seals the lips, at the mouth's nodes. `closure`
// above 0.
void SealLips(const MouthMap& mouth, double closure, absl::Span<const Vector> field,
              absl::Span<Vector> solution);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_MOUTH_H_

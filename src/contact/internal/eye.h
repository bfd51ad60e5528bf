// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTACT_INTERNAL_EYE_H_
#define BLENDWIRE_CONTACT_INTERNAL_EYE_H_

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "contact/internal/face_map.h"
#include "contact/internal/nodes.h"

namespace blendwire::contact::internal {

// Fills `eye`; returns why that is not possible, or an empty string. `radius`: of the eye's rims.
std::string BuildEye(const Nodes& nodes, const Frame& frame, double radius, RegionBuilder& region,
                     EyeMap& eye);

// Reads the field and writes the solution, both [locals] in the mesh's axes, at the eye's nodes.
// `closure` above 0.
void CloseEye(const EyeMap& eye, double closure, absl::Span<const Vector> field,
              absl::Span<Vector> solution);

// Lids slide over the eye: lifts what the solution takes into the opening, but not before the eye,
// unless rims are blurred: then by as much as it is farther behind the eye than the field takes it.
void SlideOverEye(const EyeMap& eye, double closure, absl::Span<const Vector> field,
                  absl::Span<Vector> solution);

// The share of the opening that the field takes away: 1 where the lids meet.
double OwnClosing(const EyeMap& eye, absl::Span<const Vector> field);

// Marks the nodes that contact depends on, which nothing may move afterwards.
void PinRims(const EyeMap& eye, std::vector<char>& pinned);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_EYE_H_

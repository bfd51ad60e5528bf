// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTACT_INTERNAL_RIMS_H_
#define BLENDWIRE_CONTACT_INTERNAL_RIMS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "contact/internal/face_map.h"
#include "contact/internal/nodes.h"

namespace blendwire::contact::internal {

inline constexpr int kColumns = 49;

// Nodes of a part's surroundings, before they have local numbers.
struct Surroundings {
  std::vector<uint32_t> nodes;
  std::vector<Vector> positions;  // in the frame
  std::vector<char> skin;         // on the piece of mesh that the rims belong to
};

// The nodes within `radius` of the frame's origin. Skin is the piece that holds most of both
// margins, with whatever other piece holds a good part of both.
Surroundings FindSurroundings(const Nodes& nodes, const Frame& frame, double radius, Margin upper,
                              Margin lower);

// A rim found among the surroundings: indices into them.
struct FoundRim {
  std::vector<uint32_t> members;
  std::vector<double> weights;
};

struct FoundRims {
  std::string why_not;  // empty: found
  FoundRim upper;
  FoundRim lower;
  Rims rims;  // all but the nodes' local numbers
};

// `radius`: of the rims' part of the face. With `may_touch` they may lie on each other, as lips do.
FoundRims FindRims(const Nodes& nodes, const Frame& frame, const Surroundings& around, Margin upper,
                   Margin lower, double radius, bool may_touch);

// The rim's nodes with local numbers.
std::vector<RimNode> WithLocals(const Surroundings& around, const FoundRim& rim,
                                RegionBuilder& region);

// How `scale` times the field moves a rim, by x, in the frame. `bandwidth` in widths.
Curve FieldAlong(const Rims& rims, absl::Span<const RimNode> rim, const Bandwidth& bandwidth,
                 double scale, absl::Span<const Vector> field);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_RIMS_H_

// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/rims.h"

#include <cstddef>
#include <cstdint>

#include "gtest/gtest.h"

namespace blendwire::contact::internal {
namespace {

// The rims of an eye 0.04 m wide, as many vertices each, and as far as `beyond` the same to its
// left, where the other eye's begin.
Nodes EyeWithNodesBeyond(double beyond) {
  const auto alone = [](size_t) { return absl::Span<const uint32_t>(); };
  static const auto* const kAlone = new decltype(alone)(alone);
  Nodes nodes{.positions = {},
              .margins = {},
              .certainty = {},
              .piece = {},
              .piece_sizes = {},
              .neighbours = *kAlone};
  for (double x = -0.02 - beyond; x <= 0.0201; x += 0.001) {
    const double across = x / 0.02;
    const double open = x < -0.02 ? 0.3 : 1.0 - 0.9 * across * across;
    for (const Margin margin : {kUpperLid, kLowerLid}) {
      nodes.positions.push_back({x, 0.0, (margin == kUpperLid ? 0.01 : -0.006) * open});
      nodes.margins[kUpperLid].push_back(margin == kUpperLid ? 1.0f : 0.0f);
      nodes.margins[kLowerLid].push_back(margin == kLowerLid ? 1.0f : 0.0f);
      nodes.piece.push_back(0);
    }
  }
  nodes.piece_sizes.push_back(static_cast<uint32_t>(nodes.count()));
  return nodes;
}

double WidthOf(const Nodes& nodes, double radius) {
  const Surroundings around = FindSurroundings(nodes, Frame{}, 2.0 * radius, kUpperLid, kLowerLid);
  const FoundRims found =
      FindRims(nodes, Frame{}, around, kUpperLid, kLowerLid, radius, /*may_touch=*/false);
  EXPECT_EQ(found.why_not, "");
  return found.rims.width;
}

TEST(RimsTest, ARimEndsWhereItsOwnEyeDoes) {
  EXPECT_NEAR(WidthOf(EyeWithNodesBeyond(0.0), 0.021), 0.04, 0.0015);
  EXPECT_NEAR(WidthOf(EyeWithNodesBeyond(0.015), 0.021), 0.041, 0.0015);
}

// Seen at both ends of the eye, not in one place.
TEST(RimsTest, CurvesThatStayOpenAtOneEndOnlyAreNoEye) {
  Nodes nodes = EyeWithNodesBeyond(0.0);
  for (size_t i = 0; i < nodes.count(); ++i) {
    Vector& p = nodes.positions[i];
    const bool upper = nodes.margins[kUpperLid][i] > 0.0f;
    p.z = (upper ? 0.01 : -0.006) * (p.x + 0.021) / 0.041;
  }
  const Surroundings around = FindSurroundings(nodes, Frame{}, 0.05, kUpperLid, kLowerLid);
  EXPECT_EQ(FindRims(nodes, Frame{}, around, kUpperLid, kLowerLid, 0.025, false).why_not,
            "the curves through the rims do not look like an eye");
}

}  // namespace
}  // namespace blendwire::contact::internal

// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/point_grid.h"

#include <cstddef>
#include <random>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace blendwire::mesh::internal {
namespace {

TEST(PointGridTest, FindsWhatIsWithinReach) {
  constexpr double kReach = 0.015;
  std::mt19937 random(1);
  std::uniform_real_distribution<double> coordinate(-1.0, 1.0);
  std::vector<Vector> points(3000);
  for (Vector& point : points) point = {coordinate(random), 0.2 * coordinate(random), 0.0};
  const PointGrid grid(points, {-1.0, -0.2, 0.0}, kReach);
  size_t all = 0;
  for (int turn = 0; turn < 500; ++turn) {
    const Vector place = {1.1 * coordinate(random), 0.25 * coordinate(random),
                          0.02 * coordinate(random)};
    std::set<uint32_t> expected;
    for (uint32_t i = 0; i < points.size(); ++i) {
      const Vector apart = Minus(points[i], place);
      if (Dot(apart, apart) <= kReach * kReach) expected.insert(i);
    }
    std::multiset<uint32_t> found;
    grid.ForEachNear(place, [&](uint32_t point, double squared) {
      const Vector apart = Minus(points[point], place);
      EXPECT_EQ(squared, Dot(apart, apart));
      found.insert(point);
    });
    EXPECT_EQ(found, std::multiset<uint32_t>(expected.begin(), expected.end()));
    all += expected.size();
  }
  EXPECT_GT(all, 300u);
}

TEST(PointGridTest, NothingIsFoundFarOutside) {
  const std::vector<Vector> points = {{0, 0, 0}, {1, 1, 1}};
  const PointGrid grid(points, {0, 0, 0}, 0.01);
  for (const double far : {-1e30, -5.0, 5.0, 1e30}) {
    grid.ForEachNear({far, 0, 0}, [](uint32_t, double) { ADD_FAILURE(); });
  }
}

TEST(PointGridTest, ACrammedCellIsNotSearchedToTheEnd) {
  const std::vector<Vector> points(20'000, Vector{0.5, 0.5, 0.5});
  const PointGrid grid(points, {0, 0, 0}, 0.01);
  size_t found = 0;
  grid.ForEachNear(points[0], [&found](uint32_t, double) { ++found; });
  EXPECT_GT(found, 0u);
  EXPECT_LT(found, 1000u);
}

}  // namespace
}  // namespace blendwire::mesh::internal

// SPDX-License-Identifier: Apache-2.0

#include "mesh/stretch.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "mesh/adjacency.h"
#include "mesh/quality.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

using testing::Grid;
using testing::GridWithSeam;
using testing::Mesh;
using testing::RandomMesh;

constexpr float kStep = 1.0f / 64;  // the grids' edges

size_t Limit(const Mesh& mesh, float most, std::vector<float>& offsets) {
  const Adjacency adjacency = mesh.triangles.empty()
                                  ? Adjacency::FromNearestNeighbours(mesh.vertices)
                                  : Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  SmoothingScratch scratch;
  return LimitStretch(adjacency, ShortestEdges::Build(adjacency, mesh.vertices), mesh.vertices,
                      most, absl::MakeSpan(offsets), scratch);
}

double Distance(const Mesh& mesh, const std::vector<float>& offsets, uint32_t a, uint32_t b) {
  double squared = 0.0;
  for (size_t axis = 0; axis < 3; ++axis) {
    const double apart = double{mesh.vertices[3 * a + axis]} + double{offsets[3 * a + axis]} -
                         double{mesh.vertices[3 * b + axis]} - double{offsets[3 * b + axis]};
    squared += apart * apart;
  }
  return std::sqrt(squared);
}

// How many times as long as at rest each edge of the triangles is.
std::vector<double> Stretches(const Mesh& mesh, const std::vector<float>& offsets) {
  std::set<std::pair<uint32_t, uint32_t>> edges;
  for (size_t t = 0; t < mesh.triangles.size(); t += 3) {
    for (size_t i = 0; i < 3; ++i) {
      edges.insert(std::minmax(mesh.triangles[t + i], mesh.triangles[t + (i + 1) % 3]));
    }
  }
  std::vector<double> stretches;
  const std::vector<float> rest(offsets.size(), 0.0f);
  for (const auto& [a, b] : edges) {
    stretches.push_back(Distance(mesh, offsets, a, b) / Distance(mesh, rest, a, b));
  }
  return stretches;
}

// Everything from the column `first` on is moved along x by `steps` edges.
std::vector<float> Torn(const Mesh& mesh, size_t columns, size_t first, float steps) {
  std::vector<float> offsets(mesh.vertices.size(), 0.0f);
  for (size_t v = 0; v < mesh.vertex_count(); ++v) {
    if (v % columns >= first) offsets[3 * v] = steps * kStep;
  }
  return offsets;
}

TEST(StretchTest, WhatIsWholeStaysAsItIs) {
  const Mesh mesh = Grid(12, 9);
  std::vector<float> offsets = Torn(mesh, 12, 6, 1.9f);  // an edge of 2.9 of its lengths
  for (size_t i = 1; i < offsets.size(); i += 3) offsets[i] = 5.0f;
  const std::vector<float> before = offsets;
  EXPECT_EQ(Limit(mesh, 3.0f, offsets), 0u);
  EXPECT_EQ(offsets, before);
}

TEST(StretchTest, ATearIsSharedByItsSurroundings) {
  const Mesh mesh = Grid(14, 9);
  const std::vector<float> torn = Torn(mesh, 14, 7, 3.8f);
  std::vector<float> offsets = torn;
  const std::vector<double> before = Stretches(mesh, torn);
  const auto too_long =
      std::count_if(before.begin(), before.end(), [](double stretch) { return stretch > 3.0; });
  EXPECT_EQ(Limit(mesh, 3.0f, offsets), static_cast<size_t>(too_long));
  EXPECT_GT(too_long, 9);
  const std::vector<double> after = Stretches(mesh, offsets);
  EXPECT_LT(*std::max_element(after.begin(), after.end()), 3.01);
  for (size_t v = 0; v < mesh.vertex_count(); ++v) {
    const size_t column = v % 14;
    // Columns 6 and 7 are the tear's ends; two rings around them may move.
    if (column >= 4 && column <= 9) continue;
    EXPECT_EQ(offsets[3 * v], torn[3 * v]) << v;
  }
}

TEST(StretchTest, WhatAsksForTooMuchIsMetPartOfTheWay) {
  const Mesh mesh = Grid(14, 9);
  const std::vector<float> torn = Torn(mesh, 14, 7, 40.0f);
  std::vector<float> offsets = torn;
  EXPECT_GT(Limit(mesh, 3.0f, offsets), 0u);
  double most = 0.0;
  for (size_t i = 0; i < torn.size(); ++i) {
    most = std::max(most, std::abs(double{offsets[i]} - double{torn[i]}));
  }
  EXPECT_NEAR(most, 10.0 * kStep, 1e-4);
}

TEST(StretchTest, ASeamsVerticesChangeAlike) {
  const Mesh mesh = GridWithSeam(5, 6);
  const std::vector<uint32_t> node_of = testing::SlowWeld(mesh);
  std::vector<float> offsets(mesh.vertices.size(), 0.0f);
  for (size_t v = 0; v < mesh.vertex_count(); ++v) {
    offsets[3 * v + 2] = mesh.vertices[3 * v] > mesh.vertices[0] + 3.5f * kStep ? 4 * kStep : 0.0f;
  }
  EXPECT_GT(Limit(mesh, 3.0f, offsets), 0u);
  bool any = false;
  for (size_t a = 0; a < mesh.vertex_count(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      if (node_of[a] != node_of[b]) continue;
      any = true;
      for (size_t axis = 0; axis < 3; ++axis) {
        EXPECT_EQ(offsets[3 * a + axis], offsets[3 * b + axis]);
      }
    }
  }
  EXPECT_TRUE(any);
}

TEST(StretchTest, FollowsTheSize) {
  Mesh mesh = Grid(14, 9);
  std::vector<float> small = Torn(mesh, 14, 7, 3.8f);
  std::vector<float> large = small;
  Limit(mesh, 3.0f, small);
  for (float& value : mesh.vertices) value *= 8.0f;
  for (float& value : large) value *= 8.0f;
  Limit(mesh, 3.0f, large);
  for (float& value : small) value *= 8.0f;
  EXPECT_EQ(small, large);
}

TEST(StretchTest, MeshesOfAllSortsGetNumbersAndKeepTheirMeasure) {
  for (uint32_t seed = 0; seed < 20; ++seed) {
    Mesh mesh = RandomMesh(seed, 60, 80);
    if (seed % 4 == 3) mesh.triangles.clear();  // the nearest are the neighbours then
    std::vector<float> offsets = testing::RandomOffsets(seed, mesh.vertex_count());
    for (float& value : offsets) value *= seed % 2 == 0 ? 30.0f : 1e18f;
    const std::vector<float> before = offsets;
    Limit(mesh, 1.5f, offsets);
    double longest = 0.0;
    for (size_t v = 0; v < mesh.vertex_count(); ++v) {
      longest = std::max(longest, std::hypot(double{before[3 * v]}, double{before[3 * v + 1]},
                                             double{before[3 * v + 2]}));
    }
    for (size_t i = 0; i < offsets.size(); ++i) {
      ASSERT_TRUE(std::isfinite(offsets[i])) << seed;
      ASSERT_LE(std::abs(double{offsets[i]} - double{before[i]}), 0.2501 * longest) << seed;
    }
  }
}

TEST(StretchTest, QualityMayBeMeasuredRightAfterwards) {
  const Mesh mesh = GridWithSeam(7, 6);
  const Adjacency adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  const ShortestEdges edges = ShortestEdges::Build(adjacency, mesh.vertices);
  for (const float steps : {0.1f, 6.0f}) {
    std::vector<float> offsets = testing::RandomOffsets(1, mesh.vertex_count());
    for (float& value : offsets) value *= steps;
    SmoothingScratch scratch;
    EXPECT_EQ(
        LimitStretch(adjacency, edges, mesh.vertices, 3.0f, absl::MakeSpan(offsets), scratch) > 0,
        steps > 1.0f);
    const Quality quality = MeasureLimitedQuality(adjacency, offsets, scratch);
    const Quality again = MeasureQuality(adjacency, offsets);
    EXPECT_EQ(quality.max_displacement, again.max_displacement);
    EXPECT_NEAR(quality.smoothness, again.smoothness, 1e-5);
    EXPECT_NEAR(quality.mean_displacement, again.mean_displacement, 1e-6);
  }
}

TEST(StretchTest, NothingHasNoEdges) {
  const Adjacency adjacency;
  std::vector<float> offsets;
  SmoothingScratch scratch;
  EXPECT_EQ(LimitStretch(adjacency, ShortestEdges(), {}, 3.0f, absl::MakeSpan(offsets), scratch),
            0u);
}

}  // namespace
}  // namespace blendwire::mesh

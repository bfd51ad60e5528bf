// SPDX-License-Identifier: Apache-2.0

#include "mesh/quality.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "mesh/adjacency.h"
#include "mesh/smoothing.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

using testing::Grid;
using testing::GridWithSeam;
using testing::Mesh;
using testing::RandomOffsets;

Quality Of(const Mesh& mesh, const std::vector<float>& offsets) {
  return MeasureQuality(Adjacency::FromTriangles(mesh.vertices, mesh.triangles), offsets);
}

// The formula's two sums, with each neighbour's mean taken over all its vertices anew.
double SlowSmoothness(const Mesh& mesh, const std::vector<float>& offsets) {
  const std::vector<uint32_t> node_of = testing::SlowWeld(mesh);
  const std::vector<std::set<uint32_t>> neighbours = testing::SlowNeighbours(mesh);
  const auto node_mean = [&](uint32_t node, size_t axis) {
    double sum = 0.0, count = 0.0;
    for (size_t v = 0; v < node_of.size(); ++v) {
      if (node_of[v] != node) continue;
      sum += double{offsets[3 * v + axis]};
      count += 1.0;
    }
    return sum / count;
  };
  double rough = 0.0, energy = 0.0;
  for (size_t v = 0; v < node_of.size(); ++v) {
    const std::set<uint32_t>& around = neighbours[node_of[v]];
    if (around.empty()) continue;
    for (size_t axis = 0; axis < 3; ++axis) {
      double mean = 0.0;
      for (const uint32_t node : around) mean += node_mean(node, axis);
      mean /= static_cast<double>(around.size());
      rough += std::pow(double{offsets[3 * v + axis]} - mean, 2);
      energy += std::pow(double{offsets[3 * v + axis]}, 2);
    }
  }
  return energy == 0.0 ? 1.0 : std::max(0.0, 1.0 - rough / energy);
}

TEST(MeasureQualityTest, LengthsByHand) {
  const Mesh mesh = Grid(2, 2);
  const Quality quality = Of(mesh, {0.03f, 0.04f, 0, 0, 0, 0, 0, 0, -0.1f, 0.08f, 0, 0});
  EXPECT_NEAR(quality.mean_displacement, (0.05f + 0.1f + 0.08f) / 4, 1e-7f);
  EXPECT_NEAR(quality.max_displacement, 0.1f, 1e-7f);
  EXPECT_EQ(quality.extreme_vertices, 1u);  // 0.08 itself is not extreme
}

TEST(MeasureQualityTest, OneVertexOfTwoMoves) {
  // d = (1, 0), m = (0, 1): 1 - 2 / 1 is below 0.
  const Mesh line = {{0, 0, 0, 1, 0, 0}, {0, 1, 1}};
  EXPECT_EQ(Of(line, {0.01f, 0, 0, 0, 0, 0}).smoothness, 0.0f);
  // d = (2, 1), m = (1, 2): 1 - (1 + 1) / (4 + 1).
  EXPECT_NEAR(Of(line, {0.02f, 0, 0, 0.01f, 0, 0}).smoothness, 0.6f, 1e-6f);
}

TEST(MeasureQualityTest, NothingMovingAndEverythingMovingAlikeAreSmooth) {
  const Mesh mesh = GridWithSeam(6, 6);
  const Quality rest = Of(mesh, std::vector<float>(mesh.vertices.size(), 0.0f));
  EXPECT_EQ(rest.smoothness, 1.0f);
  EXPECT_EQ(rest.mean_displacement, 0.0f);
  EXPECT_EQ(rest.max_displacement, 0.0f);
  EXPECT_EQ(rest.extreme_vertices, 0u);
  EXPECT_NEAR(Of(mesh, std::vector<float>(mesh.vertices.size(), 0.02f)).smoothness, 1.0f, 1e-6f);
}

TEST(MeasureQualityTest, NoiseIsRoughAndSmoothingHelps) {
  const Mesh mesh = Grid(30, 30);
  const Adjacency adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  std::vector<float> offsets = RandomOffsets(11, mesh.vertex_count());
  float smoothness = MeasureQuality(adjacency, offsets).smoothness;
  EXPECT_EQ(smoothness, 0.0f);
  for (int i = 0; i < 4; ++i) {
    SmoothOffsets(adjacency, 1, absl::MakeSpan(offsets));
    const float smoother = MeasureQuality(adjacency, offsets).smoothness;
    EXPECT_GT(smoother, smoothness);
    smoothness = smoother;
  }
  EXPECT_GT(smoothness, 0.7f);
}

TEST(MeasureQualityTest, ATornSeamIsSeen) {
  const Mesh mesh = GridWithSeam(6, 6);
  std::vector<float> offsets(mesh.vertices.size(), 0.02f);
  const float whole = Of(mesh, offsets).smoothness;
  for (size_t row = 0; row < 6; ++row) {
    offsets[3 * (row * 6 + 5)] += 0.02f;   // one side of the seam goes one way,
    offsets[3 * (36 + row * 6)] -= 0.02f;  // the other goes the other
  }
  EXPECT_LT(Of(mesh, offsets).smoothness, whole - 0.05f);
}

TEST(MeasureQualityTest, RandomMeshesAgreeWithThePlainFormula) {
  for (uint32_t seed = 300; seed < 310; ++seed) {
    const Mesh mesh = testing::RandomMesh(seed, 150, 120);
    // A constant plus noise, so that the result is neither 0 nor 1.
    std::vector<float> offsets = RandomOffsets(seed, mesh.vertex_count());
    for (float& value : offsets) value += 0.02f;
    const Quality quality = Of(mesh, offsets);
    const double expected = SlowSmoothness(mesh, offsets);
    EXPECT_GT(expected, 0.3);
    EXPECT_LT(expected, 0.95);
    EXPECT_NEAR(double{quality.smoothness}, expected, 1e-6);
    double sum = 0.0, largest = 0.0;
    for (size_t i = 0; i < offsets.size(); i += 3) {
      const double length =
          std::hypot(double{offsets[i]}, double{offsets[i + 1]}, double{offsets[i + 2]});
      sum += length;
      largest = std::max(largest, length);
    }
    EXPECT_NEAR(double{quality.mean_displacement}, sum / 150.0, 1e-8);
    EXPECT_NEAR(double{quality.max_displacement}, largest, 1e-8);
  }
}

TEST(MeasureQualityTest, ScaleCancelsAndScratchIsReused) {
  SmoothingScratch scratch;
  const Mesh mesh = GridWithSeam(8, 8);
  const Adjacency adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  std::vector<float> offsets = RandomOffsets(4, mesh.vertex_count());
  for (float& value : offsets) value += 0.02f;
  const Quality before = MeasureQuality(adjacency, offsets, scratch);
  for (float& value : offsets) value *= 0.25f;
  const Quality after = MeasureQuality(adjacency, offsets, scratch);
  EXPECT_EQ(after.smoothness, before.smoothness);
  EXPECT_NEAR(after.mean_displacement, 0.25f * before.mean_displacement, 1e-8f);
}

TEST(MeasureQualityTest, VerticesWithoutNeighboursSayNothingAboutSmoothness) {
  const Quality quality = Of({{0, 0, 0, 1, 1, 1}, {}}, {0.5f, 0, 0, -0.5f, 0, 0});
  EXPECT_EQ(quality.smoothness, 1.0f);
  EXPECT_EQ(quality.extreme_vertices, 2u);
  EXPECT_EQ(MeasureQuality(Adjacency(), {}).smoothness, 1.0f);
}

}  // namespace
}  // namespace blendwire::mesh

// SPDX-License-Identifier: Apache-2.0

#include "mesh/smoothing.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "mesh/adjacency.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

using testing::Grid;
using testing::GridWithSeam;
using testing::Mesh;
using testing::RandomMesh;
using testing::RandomOffsets;

Adjacency Of(const Mesh& mesh) { return Adjacency::FromTriangles(mesh.vertices, mesh.triangles); }

std::vector<float> Smoothed(const Mesh& mesh, int iterations, std::vector<float> offsets) {
  SmoothOffsets(Of(mesh), iterations, absl::MakeSpan(offsets));
  return offsets;
}

// One axis after the other, in double, with the graph's matrix written out.
std::vector<double> SlowSmoothed(const Mesh& mesh, int iterations,
                                 const std::vector<float>& offsets) {
  const std::vector<uint32_t> node_of = testing::SlowWeld(mesh);
  const std::vector<std::set<uint32_t>> neighbours = testing::SlowNeighbours(mesh);
  const size_t n = neighbours.size();
  std::vector<std::vector<double>> step(n, std::vector<double>(n, 0.0));
  for (size_t i = 0; i < n; ++i) {
    step[i][i] = neighbours[i].empty() ? 1.0 : 0.5;
    for (const uint32_t j : neighbours[i]) {
      step[i][j] = 0.5 / static_cast<double>(neighbours[i].size());
    }
  }
  std::vector<double> result(offsets.size());
  for (size_t axis = 0; axis < 3; ++axis) {
    std::vector<double> field(n, 0.0), count(n, 0.0);
    for (size_t v = 0; v < node_of.size(); ++v) {
      field[node_of[v]] += double{offsets[3 * v + axis]};
      count[node_of[v]] += 1.0;
    }
    for (size_t i = 0; i < n; ++i) field[i] /= count[i];
    for (int k = 0; k < iterations; ++k) {
      std::vector<double> next(n, 0.0);
      for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j < n; ++j) next[i] += step[i][j] * field[j];
      }
      field = next;
    }
    for (size_t v = 0; v < node_of.size(); ++v) result[3 * v + axis] = field[node_of[v]];
  }
  return result;
}

double LargestLength(const std::vector<float>& offsets) {
  double largest = 0.0;
  for (size_t i = 0; i < offsets.size(); i += 3) {
    largest = std::max(
        largest, std::hypot(double{offsets[i]}, double{offsets[i + 1]}, double{offsets[i + 2]}));
  }
  return largest;
}

TEST(SmoothOffsetsTest, OneIterationByHand) {
  // A square of the triangles 0 1 3 and 0 3 2; vertex 0 moves by 0.6.
  const std::vector<float> once = Smoothed(Grid(2, 2), 1, {0.6f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_NEAR(once[0], 0.3f, 1e-6f);
  EXPECT_NEAR(once[3], 0.15f, 1e-6f);  // neighbours 0 and 3
  EXPECT_NEAR(once[6], 0.15f, 1e-6f);
  EXPECT_NEAR(once[9], 0.1f, 1e-6f);  // neighbours 0, 1 and 2
  for (const size_t i : {1u, 2u, 4u, 5u, 7u, 8u, 10u, 11u}) EXPECT_EQ(once[i], 0.0f);
}

TEST(SmoothOffsetsTest, AgreesWithTheMatrixOnRandomMeshes) {
  for (uint32_t seed = 200; seed < 210; ++seed) {
    const Mesh mesh = RandomMesh(seed, 150, 120);
    const std::vector<float> offsets = RandomOffsets(seed, mesh.vertex_count());
    for (const int iterations : {1, 2, 7}) {
      const std::vector<float> smoothed = Smoothed(mesh, iterations, offsets);
      const std::vector<double> expected = SlowSmoothed(mesh, iterations, offsets);
      for (size_t i = 0; i < smoothed.size(); ++i) {
        ASSERT_NEAR(double{smoothed[i]}, expected[i], 1e-8) << "seed " << seed << " value " << i;
      }
    }
  }
}

TEST(SmoothOffsetsTest, ATornSeamIsClosed) {
  const Mesh mesh = GridWithSeam(5, 6);
  const std::vector<float> smoothed = Smoothed(mesh, 1, RandomOffsets(3, mesh.vertex_count()));
  for (size_t row = 0; row < 6; ++row) {
    for (size_t axis = 0; axis < 3; ++axis) {
      EXPECT_EQ(smoothed[3 * (row * 5 + 4) + axis], smoothed[3 * (30 + row * 5) + axis]);
    }
  }
}

TEST(SmoothOffsetsTest, ConstantsStay) {
  const Mesh mesh = RandomMesh(5, 200, 300);
  std::vector<float> offsets;
  for (size_t v = 0; v < 200; ++v) offsets.insert(offsets.end(), {0.013f, -0.007f, 0.0291f});
  const std::vector<float> smoothed = Smoothed(mesh, 50, offsets);
  for (size_t i = 0; i < offsets.size(); ++i) EXPECT_NEAR(smoothed[i], offsets[i], 1e-7f);
}

TEST(SmoothOffsetsTest, NothingGetsLongerThanTheLongest) {
  for (uint32_t seed = 0; seed < 5; ++seed) {
    const Mesh mesh = RandomMesh(seed, 200, 300);
    const std::vector<float> offsets = RandomOffsets(seed, 200);
    double longest = LargestLength(offsets);
    for (int iterations = 1; iterations < 12; ++iterations) {
      const double now = LargestLength(Smoothed(mesh, iterations, offsets));
      EXPECT_LE(now, longest * (1.0 + 1e-6));
      longest = now;
    }
  }
}

TEST(SmoothOffsetsTest, AVertexWithoutNeighboursKeepsItsOwn) {
  Mesh mesh = Grid(3, 3);
  mesh.AddVertex(1, 1, 1);
  const std::vector<float> offsets = RandomOffsets(1, 10);
  const std::vector<float> smoothed = Smoothed(mesh, 10, offsets);
  for (size_t i = 27; i < 30; ++i) EXPECT_EQ(smoothed[i], offsets[i]);
  EXPECT_EQ(Smoothed({{1, 2, 3}, {}}, 3, {4, 5, 6}), (std::vector<float>{4, 5, 6}));
}

TEST(SmoothOffsetsTest, TouchingLipsDoNotPullEachOther) {
  Mesh lips = Grid(5, 5);
  lips.Append(Grid(5, 5, 0.0f, /*flipped=*/true));
  std::vector<float> offsets(3 * 50, 0.0f);
  for (size_t v = 25; v < 50; ++v) offsets[3 * v + 2] = -0.02f;
  const std::vector<float> smoothed = Smoothed(lips, 10, offsets);
  for (size_t v = 0; v < 50; ++v) EXPECT_NEAR(smoothed[3 * v + 2], v < 25 ? 0.0f : -0.02f, 1e-8f);
}

TEST(SmoothOffsetsTest, NoIterationsChangeNothing) {
  const Mesh mesh = GridWithSeam(3, 3);
  const std::vector<float> offsets = RandomOffsets(9, mesh.vertex_count());
  EXPECT_EQ(Smoothed(mesh, 0, offsets), offsets);
  EXPECT_EQ(Smoothed(mesh, -1, offsets), offsets);
  std::vector<float> none;
  SmoothOffsets(Adjacency(), 3, absl::MakeSpan(none));
}

TEST(SmoothOffsetsTest, ScratchServesMeshesOfAnySize) {
  SmoothingScratch scratch;
  for (const size_t size : {9u, 3u, 12u}) {
    const Mesh mesh = GridWithSeam(size, size);
    const std::vector<float> offsets = RandomOffsets(2, mesh.vertex_count());
    std::vector<float> reused = offsets;
    SmoothOffsets(Of(mesh), 3, absl::MakeSpan(reused), scratch);
    EXPECT_EQ(reused, Smoothed(mesh, 3, offsets));
  }
}

}  // namespace
}  // namespace blendwire::mesh

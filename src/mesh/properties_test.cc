// SPDX-License-Identifier: Apache-2.0
//
// What must hold on every mesh, tried on random ones.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "mesh/adjacency.h"
#include "mesh/normals.h"
#include "mesh/quality.h"
#include "mesh/smoothing.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

using testing::Mesh;

constexpr uint32_t kCases = 40;

// Sheets with and without a seam, boxes beside each other.
Mesh SomeMesh(uint32_t seed) {
  Mesh mesh = seed % 2 == 0 ? testing::Grid(3 + seed % 5, 4 + seed % 3)
                            : testing::GridWithSeam(3 + seed % 4, 3 + seed % 5);
  if (seed % 3 == 0) mesh.Append(testing::Box(0.5f, 0.25f * static_cast<float>(seed), 0.0f));
  return mesh;
}

// order[new] = old.
std::vector<size_t> RandomOrder(uint32_t seed, size_t count) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937(seed));
  return order;
}

std::vector<float> Permuted(const std::vector<float>& values, const std::vector<size_t>& order) {
  std::vector<float> result;
  for (const size_t old : order) {
    for (size_t axis = 0; axis < 3; ++axis) result.push_back(values[3 * old + axis]);
  }
  return result;
}

Mesh Permuted(const Mesh& mesh, const std::vector<size_t>& order) {
  std::vector<uint32_t> place(order.size());
  for (size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<uint32_t>(i);
  Mesh result;
  result.vertices = Permuted(mesh.vertices, order);
  for (const uint32_t index : mesh.triangles) result.triangles.push_back(place[index]);
  return result;
}

void ExpectNear(const std::vector<float>& actual, const std::vector<float>& expected,
                float tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], tolerance) << i;
}

TEST(MeshPropertiesTest, PermutingVerticesPermutesEverything) {
  for (uint32_t seed = 0; seed < kCases; ++seed) {
    const Mesh mesh = SomeMesh(seed);
    const std::vector<size_t> order = RandomOrder(seed, mesh.vertex_count());
    const Mesh other = Permuted(mesh, order);
    const auto adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
    const auto other_adjacency = Adjacency::FromTriangles(other.vertices, other.triangles);
    ASSERT_EQ(other_adjacency.node_count(), adjacency.node_count());

    std::vector<float> offsets = testing::RandomOffsets(seed, mesh.vertex_count());
    std::vector<float> other_offsets = Permuted(offsets, order);
    SmoothOffsets(adjacency, 1 + static_cast<int>(seed % 7), absl::MakeSpan(offsets));
    SmoothOffsets(other_adjacency, 1 + static_cast<int>(seed % 7), absl::MakeSpan(other_offsets));
    ExpectNear(other_offsets, Permuted(offsets, order), 1e-7f);

    const Quality quality = MeasureQuality(adjacency, offsets);
    const Quality other_quality = MeasureQuality(other_adjacency, other_offsets);
    EXPECT_NEAR(other_quality.smoothness, quality.smoothness, 1e-5f);
    EXPECT_NEAR(other_quality.max_displacement, quality.max_displacement, 1e-7f);

    const std::vector<float> normals = VertexNormals(mesh.vertices, mesh.triangles);
    ExpectNear(VertexNormals(other.vertices, other.triangles), Permuted(normals, order), 1e-6f);
  }
}

// Coordinates and shifts are multiples of 1/64, so that no rounding can stand for a difference.
TEST(MeshPropertiesTest, WhereTheMeshIsDoesNotMatter) {
  for (uint32_t seed = 0; seed < kCases; ++seed) {
    const Mesh mesh = SomeMesh(seed);
    Mesh moved = mesh;
    for (size_t i = 0; i < moved.vertices.size(); ++i) {
      moved.vertices[i] += static_cast<float>((seed * 7 + i % 3 * 5) % 64) / 64.0f - 0.5f;
    }
    const auto adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
    const auto moved_adjacency = Adjacency::FromTriangles(moved.vertices, moved.triangles);
    ASSERT_EQ(moved_adjacency.node_count(), adjacency.node_count());
    for (size_t node = 0; node < adjacency.node_count(); ++node) {
      EXPECT_EQ(moved_adjacency.neighbours(node), adjacency.neighbours(node));
    }
    ExpectNear(VertexNormals(moved.vertices, moved.triangles),
               VertexNormals(mesh.vertices, mesh.triangles), 1e-6f);
  }
}

TEST(MeshPropertiesTest, SmoothingIsLinear) {
  for (uint32_t seed = 0; seed < kCases; ++seed) {
    const Mesh mesh = SomeMesh(seed);
    const auto adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
    std::vector<float> a = testing::RandomOffsets(seed, mesh.vertex_count());
    std::vector<float> b = testing::RandomOffsets(seed + 1000, mesh.vertex_count());
    std::vector<float> sum(a.size());
    for (size_t i = 0; i < sum.size(); ++i) sum[i] = 2.0f * a[i] - 3.0f * b[i];
    for (std::vector<float>* field : {&a, &b, &sum}) {
      SmoothOffsets(adjacency, 3, absl::MakeSpan(*field));
    }
    for (size_t i = 0; i < sum.size(); ++i) EXPECT_NEAR(sum[i], 2.0f * a[i] - 3.0f * b[i], 1e-6f);
  }
}

TEST(MeshPropertiesTest, IterationsAddUp) {
  for (uint32_t seed = 0; seed < kCases; ++seed) {
    const Mesh mesh = SomeMesh(seed);
    const auto adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
    std::vector<float> at_once = testing::RandomOffsets(seed, mesh.vertex_count());
    std::vector<float> in_parts = at_once;
    SmoothOffsets(adjacency, 5, absl::MakeSpan(at_once));
    SmoothOffsets(adjacency, 2, absl::MakeSpan(in_parts));
    SmoothOffsets(adjacency, 3, absl::MakeSpan(in_parts));
    ExpectNear(in_parts, at_once, 1e-7f);
  }
}

}  // namespace
}  // namespace blendwire::mesh

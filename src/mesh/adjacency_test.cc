// SPDX-License-Identifier: Apache-2.0

#include "mesh/adjacency.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

using testing::Box;
using ::testing::ElementsAre;
using testing::Grid;
using testing::GridWithSeam;
using ::testing::IsEmpty;
using testing::Mesh;
using testing::RandomMesh;

Adjacency Of(const Mesh& mesh) { return Adjacency::FromTriangles(mesh.vertices, mesh.triangles); }

void ExpectSame(const Adjacency& adjacency, const std::vector<uint32_t>& node_of,
                const std::vector<std::set<uint32_t>>& neighbours) {
  ASSERT_EQ(adjacency.vertex_count(), node_of.size());
  ASSERT_EQ(adjacency.node_count(), neighbours.size());
  for (size_t v = 0; v < node_of.size(); ++v) ASSERT_EQ(adjacency.node_of(v), node_of[v]) << v;
  for (size_t n = 0; n < neighbours.size(); ++n) {
    EXPECT_THAT(adjacency.neighbours(n), ::testing::ElementsAreArray(neighbours[n])) << n;
  }
}

TEST(AdjacencyTest, ASquareOfTwoTriangles) {
  const Adjacency adjacency = Of(Grid(2, 2));  // triangles 0 1 3 and 0 3 2
  EXPECT_EQ(adjacency.node_count(), 4u);
  EXPECT_FALSE(adjacency.has_welds());
  EXPECT_THAT(adjacency.nodes(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(adjacency.neighbours(0), ElementsAre(1, 2, 3));
  EXPECT_THAT(adjacency.neighbours(1), ElementsAre(0, 3));
  EXPECT_THAT(adjacency.neighbours(2), ElementsAre(0, 3));
  EXPECT_THAT(adjacency.neighbours(3), ElementsAre(0, 1, 2));
}

TEST(AdjacencyTest, NothingOneVertexAndVerticesWithoutTriangles) {
  EXPECT_EQ(Adjacency().node_count(), 0u);
  EXPECT_EQ(Of({}).node_count(), 0u);
  EXPECT_EQ(Adjacency::FromNearestNeighbours({}).node_count(), 0u);

  const Adjacency one = Adjacency::FromTriangles({1.0f, 2.0f, 3.0f}, {});
  EXPECT_EQ(one.node_count(), 1u);
  EXPECT_THAT(one.neighbours(0), IsEmpty());
  EXPECT_THAT(Adjacency::FromNearestNeighbours({1.0f, 2.0f, 3.0f}).neighbours(0), IsEmpty());

  Mesh mesh = Grid(3, 3);
  mesh.AddVertex(1.0f, 1.0f, 1.0f);
  EXPECT_THAT(Of(mesh).neighbours(9), IsEmpty());
}

TEST(AdjacencyTest, ATriangleWithoutAreaMakesNoNodeItsOwnNeighbour) {
  const Adjacency adjacency =
      Adjacency::FromTriangles({0, 0, 0, 1, 0, 0, 0, 1, 0}, {0, 0, 1, 2, 2, 2});
  EXPECT_THAT(adjacency.neighbours(0), ElementsAre(1));
  EXPECT_THAT(adjacency.neighbours(1), ElementsAre(0));
  EXPECT_THAT(adjacency.neighbours(2), IsEmpty());
}

TEST(AdjacencyTest, ASeamDoesNotShow) {
  const Adjacency seam = Of(GridWithSeam(4, 5));
  const Adjacency whole = Of(Grid(7, 5));
  EXPECT_TRUE(seam.has_welds());
  EXPECT_EQ(seam.vertex_count(), 40u);
  EXPECT_EQ(seam.node_count(), whole.node_count());
  // The same vertices in another order: vertex (x, y) of the whole grid.
  const auto node = [&seam](size_t x, size_t y) {
    return seam.node_of(x < 4 ? y * 4 + x : 20 + y * 4 + (x - 3));
  };
  for (size_t i = 0; i < 35; ++i) {
    std::set<uint32_t> expected;
    for (const uint32_t j : whole.neighbours(i)) expected.insert(node(j % 7, j / 7));
    EXPECT_THAT(seam.neighbours(node(i % 7, i / 7)), ::testing::ElementsAreArray(expected)) << i;
  }
}

TEST(AdjacencyTest, PositionsWithinAMillionthOfTheDiagonalAreOne) {
  Mesh mesh;  // the diagonal is 1 m
  mesh.AddVertex(0, 0, 0);
  mesh.AddVertex(1, 0, 0);
  mesh.AddVertex(0.9e-6f, 0, 0);
  mesh.AddVertex(0, 1.1e-6f, 0);
  mesh.AddVertex(1.0f - 0.9e-6f, 0, 0);
  EXPECT_THAT(Of(mesh).nodes(), ElementsAre(0, 1, 0, 2, 1));
}

TEST(AdjacencyTest, TouchingLipsThatFaceEachOtherAreNotGlued) {
  Mesh lips = Grid(4, 3);
  lips.Append(Grid(4, 3, 0.0f, /*flipped=*/true));
  const Adjacency adjacency = Of(lips);
  EXPECT_FALSE(adjacency.has_welds());
  for (size_t n = 0; n < 12; ++n) {
    for (const uint32_t neighbour : adjacency.neighbours(n)) EXPECT_LT(neighbour, 12u);
  }
  // Facing the same way, two sheets with open sides are taken for one surface.
  Mesh doubled = Grid(2, 2);
  doubled.Append(Grid(2, 2));
  EXPECT_EQ(Of(doubled).node_count(), 4u);
}

TEST(AdjacencyTest, AVertexWithoutNormalDoesNotGlueLipsTogether) {
  Mesh lips;
  lips.AddVertex(0, 0, 0);  // no triangle
  lips.Append(Grid(2, 2));
  lips.Append(Grid(2, 2, 0.0f, /*flipped=*/true));
  const Adjacency adjacency = Of(lips);
  EXPECT_EQ(adjacency.node_of(1), adjacency.node_of(0));
  EXPECT_NE(adjacency.node_of(5), adjacency.node_of(0));
}

TEST(AdjacencyTest, ClosedSurfacesThatTouchAreNotGlued) {
  // At the common edge the corners' normals are at right angles: only the closed surfaces tell.
  Mesh boxes = Box(0, 0, 0);
  boxes.Append(Box(0.125f, 0, 0.125f));
  EXPECT_FALSE(Of(boxes).has_welds());
  // A sheet with open sides (an eyelash) sticks to what it stands on.
  Mesh box_with_sheet = Box(0, 0, 0);
  box_with_sheet.Append({{0, 0, 0, 0.125f, 0, 0, 0, -0.1f, -0.1f}, {0, 1, 2}});
  EXPECT_EQ(Of(box_with_sheet).node_count(), 9u);
  // ... and does not glue two of them together.
  Mesh between = {{0.125f, 0, 0.125f, 0.125f, 0.125f, 0.125f, 0.2f, 0, 0.0f}, {0, 1, 2}};
  between.Append(boxes);
  const Adjacency adjacency = Of(between);
  EXPECT_NE(adjacency.node_of(3 + 5), adjacency.node_of(3 + 8 + 0));
}

TEST(AdjacencyTest, RandomMeshesAgreeWithComparingEverythingWithEverything) {
  for (uint32_t seed = 0; seed < 30; ++seed) {
    Mesh mesh = RandomMesh(seed, 150, 40 + 10 * seed);
    mesh.Append(Box(0, 0, 0));
    mesh.Append(Box(0, 0, 0.125f));
    const Adjacency adjacency = Of(mesh);
    EXPECT_TRUE(adjacency.has_welds());
    ExpectSame(adjacency, testing::SlowWeld(mesh), testing::SlowNeighbours(mesh));
  }
}

TEST(AdjacencyTest, NearbyPositionsAgreeWithComparingEverythingWithEverything) {
  // Jitter around the tolerance, over many borders between the cells of the search.
  std::mt19937 random(7);
  std::uniform_real_distribution<float> jitter(-1.5e-6f, 1.5e-6f);
  Mesh mesh = Grid(20, 20);
  const Mesh copy = mesh;
  for (int i = 0; i < 3; ++i) {
    Mesh moved = copy;
    for (float& value : moved.vertices) value += jitter(random);
    mesh.Append(moved);
  }
  mesh.triangles.clear();
  ExpectSame(Of(mesh), testing::SlowWeld(mesh), testing::SlowNeighbours(mesh));
}

TEST(AdjacencyTest, MovingTheMeshChangesNothing) {
  const Mesh mesh = GridWithSeam(9, 9);
  Mesh moved = mesh;
  for (float& value : moved.vertices) value += 16.0f;  // exact: the grid's step is a power of two
  ExpectSame(Of(moved), testing::SlowWeld(mesh), testing::SlowNeighbours(mesh));
}

TEST(AdjacencyTest, NearestNeighboursAgreeWithSortingAllDistances) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    Mesh mesh;
    mesh.vertices = testing::RandomOffsets(seed, 200);
    for (uint32_t i = 0; i < 20; ++i) {  // duplicates
      const auto [x, y, z] = mesh.at(7 * i);
      mesh.AddVertex(x, y, z);
    }
    for (const size_t k : {1u, 3u, 8u, 500u}) {
      const Adjacency adjacency = Adjacency::FromNearestNeighbours(mesh.vertices, k);
      EXPECT_EQ(adjacency.node_count(), 200u);
      ExpectSame(adjacency, testing::SlowWeld(mesh), testing::SlowNearest(mesh, k));
    }
  }
}

TEST(AdjacencyTest, NearestNeighboursOfASinglePositionAreNone) {
  const std::vector<float> same(3 * 1000, 0.25f);
  const Adjacency adjacency = Adjacency::FromNearestNeighbours(same);
  EXPECT_EQ(adjacency.node_count(), 1u);
  EXPECT_THAT(adjacency.neighbours(0), IsEmpty());
}

TEST(AdjacencyTest, ReportsItsMemory) {
  const Adjacency adjacency = Of(Grid(10, 10));
  size_t values = 100 + 101;
  for (size_t n = 0; n < 100; ++n) values += adjacency.neighbours(n).size();
  EXPECT_GE(adjacency.memory_bytes(), 4 * values);
  EXPECT_LE(adjacency.memory_bytes(), 12 * values);  // in two orders
}

}  // namespace
}  // namespace blendwire::mesh

// SPDX-License-Identifier: Apache-2.0

#include "predict/prepared_mesh.h"

#include <cmath>
#include <limits>
#include <memory>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mesh/normals.h"
#include "mesh/testing/meshes.h"

namespace blendwire::predict {
namespace {

using ::testing::Each;
using ::testing::ElementsAreArray;

absl::StatusOr<std::shared_ptr<const PreparedMesh>> Prepare(absl::Span<const float> vertices,
                                                            int64_t vertex_count,
                                                            absl::Span<const uint32_t> triangles) {
  MeshCache cache(1 << 20);  // what it gave out outlives it
  return PreparedMesh::Create(vertices, vertex_count, triangles, cache);
}

TEST(PreparedMeshTest, RefersToTheCallersMemory) {
  const mesh::testing::Mesh grid = mesh::testing::Grid(4, 3);
  const auto mesh = Prepare(grid.vertices, 12, grid.triangles);
  ASSERT_TRUE(mesh.ok()) << mesh.status();
  EXPECT_EQ((*mesh)->vertex_count(), 12u);
  EXPECT_EQ((*mesh)->vertices().data(), grid.vertices.data());
}

TEST(PreparedMeshTest, RefusesWhatIsNoMesh) {
  const mesh::testing::Mesh grid = mesh::testing::Grid(4, 3);
  const auto code = [](const auto& vertices, int64_t count, const auto& triangles) {
    return Prepare(vertices, count, triangles).status().code();
  };
  EXPECT_EQ(code(grid.vertices, 11, grid.triangles), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(grid.vertices, 12, std::vector<uint32_t>{0, 1, 12}),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code(std::vector<float>{}, 0, std::vector<uint32_t>{}),
            absl::StatusCode::kInvalidArgument);
  std::vector<float> broken = grid.vertices;
  broken[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(code(broken, 12, grid.triangles), absl::StatusCode::kInvalidArgument);
}

TEST(PreparedMeshTest, NormalsComeFromTheTriangles) {
  const mesh::testing::Mesh box = mesh::testing::Box(0.0f, 0.0f, 0.0f);
  const auto mesh = Prepare(box.vertices, 8, box.triangles).value();
  // A corner's normal leads away from the middle, weighted by its triangles.
  for (size_t vertex = 0; vertex < 8; ++vertex) {
    double length = 0.0;
    for (size_t axis = 0; axis < 3; ++axis) {
      const double normal = mesh->normals()[3 * vertex + axis];
      length += normal * normal;
      EXPECT_GT(normal * (box.vertices[3 * vertex + axis] - 1.0 / 16), 0.0);
    }
    EXPECT_NEAR(length, 1.0, 1e-5);
  }
  EXPECT_THAT(mesh->normals(), ElementsAreArray(mesh::VertexNormals(box.vertices, box.triangles)));
}

TEST(PreparedMeshTest, WithoutTrianglesNormalsAreZeroAndNeighboursNear) {
  const mesh::testing::Mesh grid = mesh::testing::Grid(5, 5);
  const auto mesh = Prepare(grid.vertices, 25, {}).value();
  EXPECT_EQ(mesh->normals().size(), 75u);
  EXPECT_THAT(mesh->normals(), Each(0.0f));
  const auto expected = mesh::testing::SlowNearest(grid, 8);
  ASSERT_EQ(mesh->adjacency().node_count(), expected.size());
  for (size_t node = 0; node < expected.size(); ++node) {
    // Ties at the edge of the eight may be broken either way; nearer ones may not be missing.
    EXPECT_GE(mesh->adjacency().neighbours(node).size(), 8u);
  }
}

TEST(PreparedMeshTest, WithTrianglesNeighboursShareAnEdge) {
  const mesh::testing::Mesh grid = mesh::testing::GridWithSeam(4, 4);
  const auto mesh =
      Prepare(grid.vertices, static_cast<int64_t>(grid.vertex_count()), grid.triangles).value();
  const auto expected = mesh::testing::SlowNeighbours(grid);
  ASSERT_EQ(mesh->adjacency().node_count(), expected.size());
  for (size_t node = 0; node < expected.size(); ++node) {
    EXPECT_THAT(mesh->adjacency().neighbours(node), ElementsAreArray(expected[node]));
  }
}

TEST(PreparedMeshTest, IsWorkedOutOnceForAllThreads) {
  const mesh::testing::Mesh grid = mesh::testing::Grid(50, 50);
  const auto mesh = Prepare(grid.vertices, 2500, grid.triangles).value();
  std::vector<const mesh::Adjacency*> adjacencies(8);
  std::vector<const float*> normals(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      // Half of them ask for the normals first, which need the neighbours.
      if (i % 2 == 0) normals[i] = mesh->normals().data();
      adjacencies[i] = &mesh->adjacency();
      if (i % 2 == 1) normals[i] = mesh->normals().data();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(adjacencies, Each(&mesh->adjacency()));
  EXPECT_THAT(normals, Each(mesh->normals().data()));
}

}  // namespace
}  // namespace blendwire::predict

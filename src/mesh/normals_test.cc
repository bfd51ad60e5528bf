// SPDX-License-Identifier: Apache-2.0

#include "mesh/normals.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "gtest/gtest.h"
#include "mesh/adjacency.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

using testing::Box;
using testing::Grid;
using testing::Mesh;

// Each triangle's unit normal times its area by Heron's formula, summed over the vertices' nodes.
std::vector<double> SlowNormals(const Mesh& mesh) {
  const std::vector<uint32_t> node_of = testing::SlowWeld(mesh);
  std::vector<double> result;
  for (size_t v = 0; v < mesh.vertex_count(); ++v) {
    double sum[3] = {0, 0, 0};
    for (size_t t = 0; t < mesh.triangles.size(); ++t) {
      if (node_of[mesh.triangles[t]] != node_of[v]) continue;
      const size_t first = t / 3 * 3;
      double u[3], w[3], opposite = 0, lu = 0, lw = 0;
      for (size_t i = 0; i < 3; ++i) {
        const double a = double{mesh.at(mesh.triangles[first])[i]};
        u[i] = double{mesh.at(mesh.triangles[first + 1])[i]} - a;
        w[i] = double{mesh.at(mesh.triangles[first + 2])[i]} - a;
        lu += u[i] * u[i];
        lw += w[i] * w[i];
        opposite += (u[i] - w[i]) * (u[i] - w[i]);
      }
      const double b = std::sqrt(lu), c = std::sqrt(lw), d = std::sqrt(opposite);
      const double s = (b + c + d) / 2;
      const double area = std::sqrt(std::max(0.0, s * (s - b) * (s - c) * (s - d)));
      const double n[3] = {u[1] * w[2] - u[2] * w[1], u[2] * w[0] - u[0] * w[2],
                           u[0] * w[1] - u[1] * w[0]};
      const double length = std::hypot(n[0], n[1], n[2]);
      for (size_t i = 0; i < 3 && length > 1e-15; ++i) sum[i] += n[i] / length * area;
    }
    const double length = std::hypot(sum[0], sum[1], sum[2]);
    for (const double value : sum) result.push_back(length > 1e-9 ? value / length : 0.0);
  }
  return result;
}

TEST(VertexNormalsTest, CounterClockwiseFacesTheViewer) {
  const Mesh up = Grid(4, 4);
  const std::vector<float> normals = VertexNormals(up.vertices, up.triangles);
  for (size_t v = 0; v < 16; ++v) {
    EXPECT_EQ(normals[3 * v], 0.0f);
    EXPECT_EQ(normals[3 * v + 1], 0.0f);
    EXPECT_EQ(normals[3 * v + 2], 1.0f);
  }
}

TEST(VertexNormalsTest, LargerTrianglesCountMore) {
  // Around vertex 0: area 2 facing +Z, area 1 facing +X.
  const std::vector<float> vertices = {0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 1, 0, 0, 0, 2};
  const std::vector<float> normals = VertexNormals(vertices, {0, 1, 2, 0, 3, 4});
  EXPECT_NEAR(normals[0], 1.0f / std::sqrt(5.0f), 1e-6f);
  EXPECT_NEAR(normals[1], 0.0f, 1e-6f);
  EXPECT_NEAR(normals[2], 2.0f / std::sqrt(5.0f), 1e-6f);
}

TEST(VertexNormalsTest, WithoutTrianglesOrAreaItIsZero) {
  const std::vector<float> vertices = {0, 0, 0, 1, 0, 0, 2, 0, 0, 5, 5, 5};
  EXPECT_EQ(VertexNormals(vertices, {0, 1, 2, 1, 1, 0}), std::vector<float>(12, 0.0f));
  EXPECT_TRUE(VertexNormals({}, {}).empty());
}

TEST(VertexNormalsTest, ASplitEdgeGetsOneNormalAndTouchingLipsKeepTheirs) {
  Mesh roof;  // two slopes that meet at x = 0 with vertices of their own
  roof.vertices = {-1, 0, 0, 0, 0, 1, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1};
  roof.triangles = {0, 1, 2, 3, 4, 5};
  const std::vector<float> normals = VertexNormals(roof.vertices, roof.triangles);
  for (const size_t ridge : {1u, 2u, 4u, 5u}) {
    EXPECT_NEAR(normals[3 * ridge], 0.0f, 1e-6f);
    EXPECT_NEAR(normals[3 * ridge + 2], 1.0f, 1e-6f);
  }
  Mesh lips = Grid(2, 2);
  lips.Append(Grid(2, 2, 0.0f, /*flipped=*/true));
  const std::vector<float> apart = VertexNormals(lips.vertices, lips.triangles);
  for (size_t v = 0; v < 8; ++v) EXPECT_EQ(apart[3 * v + 2], v < 4 ? 1.0f : -1.0f);
}

TEST(VertexNormalsTest, RandomMeshesAgreeWithHeronsFormula) {
  for (uint32_t seed = 100; seed < 115; ++seed) {
    Mesh mesh = testing::RandomMesh(seed, 120, 150);
    mesh.Append(Box(0, 0, 0));
    const std::vector<float> normals = VertexNormals(mesh.vertices, mesh.triangles);
    const std::vector<double> expected = SlowNormals(mesh);
    ASSERT_EQ(normals.size(), expected.size());
    for (size_t i = 0; i < normals.size(); ++i) {
      ASSERT_NEAR(double{normals[i]}, expected[i], 1e-5) << "seed " << seed << " value " << i;
    }
    const Adjacency adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
    EXPECT_EQ(VertexNormals(adjacency, mesh.vertices, mesh.triangles), normals);
  }
}

TEST(VertexNormalsTest, HugeMeshesDoNotOverflow) {
  const std::vector<float> normals = VertexNormals({0, 0, 0, 3e38f, 0, 0, 0, 3e38f, 0}, {0, 1, 2});
  EXPECT_EQ(normals[2], 1.0f);
}

}  // namespace
}  // namespace blendwire::mesh

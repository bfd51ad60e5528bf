// SPDX-License-Identifier: Apache-2.0

#include "mesh/mirror.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mesh/adjacency.h"
#include "mesh/normals.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

using ::testing::Each;
using ::testing::IsEmpty;
using testing::Mesh;

constexpr uint32_t kNone = MirrorMap::kNoPartner;
// Odd, so that one column stands on the plane x = 0.
constexpr size_t kColumns = 9;
constexpr size_t kRows = 7;

// A mask that bulges towards -Y, symmetric about x = 0, all its vertices at places of their own.
// Its diagonals all run one way: the triangles are not symmetric.
Mesh Mask() {
  Mesh mask = testing::Grid(kColumns, kRows);
  for (size_t v = 0; v < mask.vertex_count(); ++v) {
    float* const position = &mask.vertices[3 * v];
    const float x = position[0] - static_cast<float>(kColumns / 2) / 64.0f;
    const float z = position[1];
    position[0] = x;
    position[1] = 4.0f * x * x + 2.0f * z * z;
    position[2] = z;
  }
  return mask;
}

// A mask without any symmetry.
Mesh CrookedMask() {
  Mesh mask = Mask();
  for (size_t v = 0; v < mask.vertex_count(); ++v) {
    mask.vertices[3 * v + 2] += 0.3f * mask.vertices[3 * v] * mask.vertices[3 * v + 1];
  }
  return mask;
}

MirrorMap MapOf(const Mesh& mesh) {
  const Adjacency adjacency = mesh.triangles.empty()
                                  ? Adjacency::FromNearestNeighbours(mesh.vertices)
                                  : Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  const std::vector<float> normals = mesh.triangles.empty()
                                         ? std::vector<float>(mesh.vertices.size(), 0.0f)
                                         : VertexNormals(adjacency, mesh.vertices, mesh.triangles);
  return MirrorMap::Build(adjacency, mesh.vertices, normals);
}

std::vector<float> Average(const MirrorMap& map, const std::vector<float>& own,
                           const std::vector<float>& mirrored) {
  std::vector<float> result(own.size(), 777.0f);
  AverageWithMirror(map, own, mirrored, absl::MakeSpan(result));
  return result;
}

size_t Opposite(size_t vertex) {
  const size_t column = vertex % kColumns;
  return vertex - column + (kColumns - 1 - column);
}

TEST(MirrorTest, PartnersLieOppositeEachOther) {
  const MirrorMap map = MapOf(Mask());
  ASSERT_FALSE(map.empty());
  for (size_t v = 0; v < kColumns * kRows; ++v) EXPECT_EQ(map.partners()[v], Opposite(v));
  EXPECT_THAT(map.followers(), IsEmpty());
}

TEST(MirrorTest, TheMeanIsExactlySymmetric) {
  const Mesh mask = Mask();
  const MirrorMap map = MapOf(mask);
  const std::vector<float> left = testing::RandomOffsets(1, mask.vertex_count());
  const std::vector<float> right = testing::RandomOffsets(2, mask.vertex_count());
  const std::vector<float> mean_left = Average(map, left, right);
  const std::vector<float> mean_right = Average(map, right, left);
  const std::vector<float> mean_both = Average(map, left, left);
  for (size_t v = 0; v < mask.vertex_count(); ++v) {
    const size_t other = Opposite(v);
    for (size_t axis = 0; axis < 3; ++axis) {
      const float sign = axis == 0 ? -1.0f : 1.0f;
      const double expected =
          (double{left[3 * v + axis]} + double{sign} * double{right[3 * other + axis]}) / 2;
      EXPECT_NEAR(mean_left[3 * v + axis], expected, 1e-9);
      EXPECT_EQ(mean_left[3 * v + axis], sign * mean_right[3 * other + axis]);
      EXPECT_EQ(mean_both[3 * v + axis], sign * mean_both[3 * other + axis]);
    }
    if (other == v) {
      EXPECT_EQ(mean_both[3 * v], 0.0f) << "it stays on the plane";
    }
  }
}

TEST(MirrorTest, ScalarsAreAveragedToo) {
  const Mesh mask = Mask();
  std::vector<float> values(2 * mask.vertex_count());
  std::iota(values.begin(), values.end(), 0.0f);
  const std::vector<float> before = values;
  AverageScalarsWithMirror(MapOf(mask), 2, absl::MakeSpan(values));
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_FLOAT_EQ(values[i], (before[i] + before[2 * Opposite(i / 2) + i % 2]) / 2);
  }
}

TEST(MirrorTest, WhatIsNotSymmetricIsNot) {
  EXPECT_TRUE(MapOf(CrookedMask()).empty());
  Mesh points = CrookedMask();
  points.triangles.clear();
  EXPECT_TRUE(MapOf(points).empty());
  EXPECT_TRUE(MapOf(testing::RandomMesh(4, 300, 500)).empty());
  EXPECT_TRUE(MirrorMap().empty());
  Mesh one;
  one.AddVertex(0.5f, 0.0f, 1.0f);
  EXPECT_TRUE(MapOf(one).empty()) << "no size to measure a distance by";
}

TEST(MirrorTest, TheHeadMayStandAnywhere) {
  for (const float x : {-3.0f, -0.01f, 0.7f, 20.0f}) {
    Mesh mask = Mask();
    for (size_t v = 0; v < mask.vertex_count(); ++v) mask.vertices[3 * v] += x;
    const MirrorMap map = MapOf(mask);
    ASSERT_FALSE(map.empty()) << x;
    for (size_t v = 0; v < kColumns * kRows; ++v) EXPECT_EQ(map.partners()[v], Opposite(v)) << x;
  }
}

TEST(MirrorTest, ADeviationLargerThanTheToleranceIsNoPartner) {
  for (const float share : {1e-4f, 4e-4f}) {
    Mesh mask = Mask();
    const float diagonal = std::hypot(0.125f, 0.09375f, 0.0801f);
    mask.vertices[3 * 12] += share * diagonal;
    const MirrorMap map = MapOf(mask);
    ASSERT_FALSE(map.empty());
    EXPECT_EQ(map.partners()[12] != kNone, share < 2e-4f) << share;
    EXPECT_EQ(map.partners()[Opposite(12)] != kNone, share < 2e-4f) << share;
  }
}

TEST(MirrorTest, ALopsidedPartKeepsItsOffsets) {
  Mesh mesh = Mask();
  const size_t face = mesh.vertex_count();
  Mesh hair = CrookedMask();
  for (size_t v = 0; v < hair.vertex_count(); ++v) {
    hair.vertices[3 * v] = hair.vertices[3 * v] * 1.5f + 0.31f;  // and the box lopsided
    hair.vertices[3 * v + 2] += 0.25f;
  }
  mesh.Append(hair);
  for (const float x : {0.0f, 1.25f}) {  // a plane that is neither 0 nor the box's middle
    for (size_t v = 0; v < mesh.vertex_count(); ++v) mesh.vertices[3 * v] += x;
    const MirrorMap map = MapOf(mesh);
    ASSERT_FALSE(map.empty()) << x;
    for (size_t v = 0; v < face; ++v) EXPECT_EQ(map.partners()[v], Opposite(v)) << x;
    EXPECT_THAT(map.partners().subspan(face), Each(kNone));
    const std::vector<float> own = testing::RandomOffsets(3, mesh.vertex_count());
    const std::vector<float> result = Average(map, own, own);
    EXPECT_EQ(absl::MakeConstSpan(result).subspan(3 * face),
              absl::MakeConstSpan(own).subspan(3 * face));
  }
}

TEST(MirrorTest, SymmetricEyesDoNotMakeASymmetricHead) {
  Mesh mesh = CrookedMask();
  for (const float x : {-0.05f, 0.025f}) {  // boxes of 1/8 m, far less than half of it all
    Mesh eye = testing::Box(0.0f, 0.0f, 0.0f);
    for (size_t v = 0; v < eye.vertex_count(); ++v) {
      eye.vertices[3 * v] = x + eye.vertices[3 * v] * 0.2f;
    }
    mesh.Append(eye);
  }
  EXPECT_TRUE(MapOf(mesh).empty());
}

TEST(MirrorTest, AVertexWithoutAPartnerGoesWithItsNeighbours) {
  Mesh mask = Mask();
  constexpr size_t kLone = 3 * kColumns + 2;
  mask.vertices[3 * kLone] += 0.002f;
  const MirrorMap map = MapOf(mask);
  ASSERT_FALSE(map.empty());
  const size_t left = Opposite(kLone);
  const auto lone = [left](size_t v) { return v == kLone || v == left; };
  for (size_t v = 0; v < mask.vertex_count(); ++v) {
    EXPECT_EQ(map.partners()[v] == kNone, lone(v)) << v;
  }
  ASSERT_EQ(map.followers().size(), 2u);

  const std::vector<float> own = testing::RandomOffsets(5, mask.vertex_count());
  const std::vector<float> mirrored = testing::RandomOffsets(6, mask.vertex_count());
  const std::vector<float> result = Average(map, own, mirrored);
  const Adjacency adjacency = Adjacency::FromTriangles(mask.vertices, mask.triangles);
  for (const size_t v : {kLone, left}) {
    for (size_t axis = 0; axis < 3; ++axis) {
      double added = 0.0;
      const auto neighbours = adjacency.neighbours(v);
      for (const uint32_t n : neighbours) {
        added += double{result[3 * n + axis]} - double{own[3 * n + axis]};
      }
      added /= static_cast<double>(neighbours.size());
      EXPECT_NEAR(result[3 * v + axis], own[3 * v + axis] + added, 1e-8);
    }
  }
}

// The lips of a closed mouth: two sheets, face to face, whose vertices share positions.
TEST(MirrorTest, LipsThatTouchStayWithTheirOwn) {
  Mesh mouth = testing::Grid(kColumns, kRows);
  const size_t lower = mouth.vertex_count();
  mouth.Append(testing::Grid(kColumns, kRows, 0.0f, /*flipped=*/true));
  const MirrorMap map = MapOf(mouth);
  ASSERT_FALSE(map.empty());
  for (size_t v = 0; v < lower; ++v) {
    EXPECT_EQ(map.partners()[v], Opposite(v));
    EXPECT_EQ(map.partners()[lower + v], lower + Opposite(v));
  }
}

// As a texture seam leaves them: what one place had as one offset it has again.
TEST(MirrorTest, ASeamStaysClosed) {
  Mesh mesh = testing::GridWithSeam(5, 4);
  const Adjacency adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  ASSERT_TRUE(adjacency.has_welds());
  const MirrorMap map = MapOf(mesh);
  ASSERT_FALSE(map.empty());
  std::vector<float> own = testing::RandomOffsets(7, mesh.vertex_count());
  std::vector<size_t> first(adjacency.node_count(), mesh.vertex_count());
  for (size_t v = 0; v < mesh.vertex_count(); ++v) {
    size_t& of_node = first[adjacency.node_of(v)];
    if (of_node == mesh.vertex_count()) of_node = v;
    std::copy_n(&own[3 * of_node], 3, &own[3 * v]);
  }
  const std::vector<float> result = Average(map, own, own);
  for (size_t v = 0; v < mesh.vertex_count(); ++v) {
    for (size_t axis = 0; axis < 3; ++axis) {
      EXPECT_EQ(result[3 * v + axis], result[3 * first[adjacency.node_of(v)] + axis]) << v;
    }
  }
}

TEST(MirrorTest, SheetsThatLieOnOneAnotherAreAllAveraged) {
  Mesh mesh = Mask();
  const size_t second = mesh.vertex_count();
  mesh.Append(Mask());
  const MirrorMap map = MapOf(mesh);
  ASSERT_FALSE(map.empty());
  for (size_t v = 0; v < mesh.vertex_count(); ++v) {
    ASSERT_NE(map.partners()[v], kNone) << v;
    EXPECT_EQ(map.partners()[v] % second, Opposite(v % second)) << v;
  }
}

TEST(MirrorTest, TheOrderOfVerticesDoesNotMatter) {
  Mesh mask = Mask();
  mask.vertices[3 * 21] += 0.002f;                   // with followers
  std::vector<uint32_t> order(mask.vertex_count());  // new -> old
  std::iota(order.begin(), order.end(), 0u);
  std::shuffle(order.begin(), order.end(), std::mt19937(8));
  std::vector<uint32_t> place(order.size());
  Mesh shuffled;
  for (size_t v = 0; v < order.size(); ++v) {
    place[order[v]] = static_cast<uint32_t>(v);
    const auto [x, y, z] = mask.at(order[v]);
    shuffled.AddVertex(x, y, z);
  }
  for (const uint32_t corner : mask.triangles) shuffled.triangles.push_back(place[corner]);
  const std::vector<float> own = testing::RandomOffsets(9, mask.vertex_count());
  std::vector<float> own_shuffled;
  for (const uint32_t old : order) {
    own_shuffled.insert(own_shuffled.end(), &own[3 * old], &own[3 * old] + 3);
  }
  const std::vector<float> result = Average(MapOf(mask), own, own);
  const std::vector<float> result_shuffled = Average(MapOf(shuffled), own_shuffled, own_shuffled);
  for (size_t v = 0; v < order.size(); ++v) {
    for (size_t axis = 0; axis < 3; ++axis) {
      EXPECT_NEAR(result_shuffled[3 * v + axis], result[3 * order[v] + axis], 1e-8);
    }
  }
}

}  // namespace
}  // namespace blendwire::mesh

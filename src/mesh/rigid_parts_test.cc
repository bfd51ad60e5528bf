// SPDX-License-Identifier: Apache-2.0

#include "mesh/rigid_parts.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "mesh/adjacency.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh {
namespace {

using testing::Box;
using testing::Grid;
using testing::Mesh;
using Vector = std::array<double, 3>;

// A sphere around (x,y,z), closed, with a vertex at each pole.
Mesh Sphere(float x, float y, float z, float radius) {
  constexpr int kRings = 9;
  constexpr int kSegments = 14;
  Mesh mesh;
  const double pi = std::acos(-1.0);
  mesh.AddVertex(x, y, z + radius);
  for (int ring = 1; ring < kRings; ++ring) {
    for (int i = 0; i < kSegments; ++i) {
      const double a = pi * ring / kRings;
      const double b = 2 * pi * i / kSegments;
      mesh.AddVertex(x + radius * static_cast<float>(std::sin(a) * std::cos(b)),
                     y + radius * static_cast<float>(std::sin(a) * std::sin(b)),
                     z + radius * static_cast<float>(std::cos(a)));
    }
  }
  const uint32_t last = mesh.AddVertex(x, y, z - radius);
  const auto at = [](uint32_t ring, uint32_t i) {
    return 1 + (ring - 1) * kSegments + i % kSegments;
  };
  for (uint32_t i = 0; i < kSegments; ++i) {
    for (const uint32_t v : {0u, at(1, i), at(1, i + 1)}) mesh.triangles.push_back(v);
    for (const uint32_t v : {last, at(kRings - 1, i + 1), at(kRings - 1, i)}) {
      mesh.triangles.push_back(v);
    }
    for (uint32_t ring = 1; ring + 1 < kRings; ++ring) {
      for (const uint32_t v : {at(ring, i), at(ring + 1, i), at(ring + 1, i + 1), at(ring, i),
                               at(ring + 1, i + 1), at(ring, i + 1)}) {
        mesh.triangles.push_back(v);
      }
    }
  }
  return mesh;
}

// A skin of 40 x 40 vertices and something else, whose vertices come after the skin's.
constexpr size_t kSkin = 1600;
Mesh SkinAnd(const Mesh& other) {
  Mesh mesh = Grid(40, 40);
  mesh.Append(other);
  return mesh;
}

RigidParts PartsOf(const Mesh& mesh) {
  return RigidParts::Build(Adjacency::FromTriangles(mesh.vertices, mesh.triangles), mesh.vertices,
                           mesh.triangles);
}

Vector At(const std::vector<float>& values, size_t v) {
  return {double{values[3 * v]}, double{values[3 * v + 1]}, double{values[3 * v + 2]}};
}

std::vector<float> Field(const Mesh& mesh, const std::function<Vector(const Vector&)>& move) {
  std::vector<float> offsets;
  for (size_t v = 0; v < mesh.vertex_count(); ++v) {
    for (const double value : move(At(mesh.vertices, v))) {
      offsets.push_back(static_cast<float>(value));
    }
  }
  return offsets;
}

std::vector<float> MadeRigid(const Mesh& mesh, std::vector<float> offsets) {
  MakeRigid(PartsOf(mesh), mesh.vertices, absl::MakeSpan(offsets));
  return offsets;
}

// The largest change of a squared distance, to the first order, between two vertices from `first`
// on.
double Bending(const Mesh& mesh, const std::vector<float>& offsets, size_t first) {
  double worst = 0.0;
  for (size_t a = first; a < mesh.vertex_count(); ++a) {
    for (size_t b = first; b < a; ++b) {
      double change = 0.0;
      for (size_t axis = 0; axis < 3; ++axis) {
        change += (At(mesh.vertices, a)[axis] - At(mesh.vertices, b)[axis]) *
                  (At(offsets, a)[axis] - At(offsets, b)[axis]);
      }
      worst = std::max(worst, std::abs(change));
    }
  }
  return worst;
}

// Sums over the vertices from `first` on: of the offsets, and of position x offset. A least squares
// fit of a rigid motion keeps both.
std::array<double, 6> Momenta(const Mesh& mesh, const std::vector<float>& offsets, size_t first) {
  std::array<double, 6> sums{};
  for (size_t v = first; v < mesh.vertex_count(); ++v) {
    const Vector p = At(mesh.vertices, v);
    const Vector f = At(offsets, v);
    for (size_t i = 0; i < 3; ++i) {
      const size_t j = (i + 1) % 3;
      const size_t k = (i + 2) % 3;
      sums[i] += f[i];
      sums[3 + i] += p[j] * f[k] - p[k] * f[j];
    }
  }
  return sums;
}

// A box 0.2 m above the skin that goes down and turns, and bends by `bend`.
Vector Bite(const Vector& p, double bend) {
  return {0.3 * (p[2] - 0.3) + bend * p[0] * p[0] * 10, bend * p[1],
          -0.02 - 0.3 * (p[0] - 0.3) + bend * p[2]};
}

TEST(RigidPartsTest, ASolidThatHardlyBendsMovesAsOne) {
  const Mesh mesh = SkinAnd(Box(0.25f, 0.25f, 0.25f));
  const std::vector<float> offsets = Field(mesh, [](const Vector& p) { return Bite(p, 0.02); });
  const std::vector<float> rigid = MadeRigid(mesh, offsets);
  EXPECT_GT(Bending(mesh, offsets, kSkin), 1e-4);
  EXPECT_LT(Bending(mesh, rigid, kSkin), 1e-8);
  const auto before = Momenta(mesh, offsets, kSkin);
  const auto after = Momenta(mesh, rigid, kSkin);
  for (size_t i = 0; i < 6; ++i) EXPECT_NEAR(before[i], after[i], 1e-6) << i;
  for (size_t i = 0; i < 3 * kSkin; ++i) ASSERT_EQ(rigid[i], offsets[i]) << "the skin";
}

TEST(RigidPartsTest, WhatBendsKeepsBending) {
  const Mesh mesh = SkinAnd(Box(0.25f, 0.25f, 0.25f));
  const std::vector<float> offsets =
      Field(mesh, [](const Vector& p) { return Vector{p[0] - 0.31, 0.31 - p[1], 0.0}; });
  EXPECT_EQ(MadeRigid(mesh, offsets), offsets);
}

TEST(RigidPartsTest, BetweenTheTwoItGoesOverGradually) {
  const Mesh mesh = SkinAnd(Box(0.25f, 0.25f, 0.25f));
  double last = 0.0;
  bool between = false;
  for (double bend = 0.05; bend < 0.4; bend += 0.01) {
    const auto offsets = Field(mesh, [&](const Vector& p) {
      return Vector{bend * (p[0] - 0.3125), 0.02, -bend * (p[2] - 0.3125)};
    });
    const double left = Bending(mesh, MadeRigid(mesh, offsets), kSkin);
    const double all = Bending(mesh, offsets, kSkin);
    EXPECT_GE(left, last - 1e-9);
    EXPECT_LE(left, all + 1e-9);
    between |= left > 0.1 * all && left < 0.9 * all;
    last = left;
  }
  EXPECT_TRUE(between);
  EXPECT_GT(last, 1e-3);
}

TEST(RigidPartsTest, HalfTheWeightIsHalfTheMotion) {
  for (const double bend : {0.02, 0.12, 0.3}) {
    const Mesh mesh = SkinAnd(Box(0.25f, 0.25f, 0.25f));
    std::vector<float> offsets = Field(mesh, [&](const Vector& p) { return Bite(p, bend); });
    std::vector<float> whole = MadeRigid(mesh, offsets);
    for (float& value : offsets) value *= 0.5f;
    for (float& value : whole) value *= 0.5f;
    EXPECT_EQ(MadeRigid(mesh, offsets), whole);
  }
}

TEST(RigidPartsTest, StripsAndLargeThingsAreNoSolids) {
  const auto bite = [](const Vector& p) { return Bite(p, 0.02); };
  const Mesh strip = SkinAnd(Grid(8, 3, 0.25f));
  EXPECT_TRUE(PartsOf(strip).parts().empty());
  Mesh box = Box(0.25f, 0.25f, 0.25f);
  for (float& value : box.vertices) value *= 4.0f;
  const Mesh large = SkinAnd(box);
  EXPECT_TRUE(PartsOf(large).parts().empty());
  EXPECT_EQ(MadeRigid(large, Field(large, bite)), Field(large, bite));
  EXPECT_TRUE(PartsOf(Box(0, 0, 0)).parts().empty()) << "the only part is the skin";
  Mesh bare = SkinAnd(Box(0.25f, 0.25f, 0.25f));
  bare.triangles.clear();
  EXPECT_TRUE(RigidParts::Build(Adjacency::FromNearestNeighbours(bare.vertices), bare.vertices, {})
                  .parts()
                  .empty());
}

// Files often give every triangle vertices of its own.
TEST(RigidPartsTest, ASolidMayBeSplitAtItsEdges) {
  const Mesh box = Box(0.25f, 0.25f, 0.25f);
  Mesh soup;
  for (const uint32_t v : box.triangles) {
    const auto p = box.at(v);
    soup.triangles.push_back(soup.AddVertex(p[0], p[1], p[2]));
  }
  const Mesh mesh = SkinAnd(soup);
  ASSERT_EQ(PartsOf(mesh).parts().size(), 1u);
  EXPECT_EQ(PartsOf(mesh).vertices().size(), soup.vertex_count());
  const auto offsets = Field(mesh, [](const Vector& p) { return Bite(p, 0.02); });
  EXPECT_LT(Bending(mesh, MadeRigid(mesh, offsets), kSkin), 1e-8);
}

TEST(RigidPartsTest, EyeballsOnlyTurn) {
  const Mesh mesh = SkinAnd(Sphere(0.3f, 0.2f, 0.25f, 0.02f));
  ASSERT_EQ(PartsOf(mesh).parts().size(), 1u);
  EXPECT_TRUE(PartsOf(mesh).parts()[0].is_ball);
  // A lid that pulls the front of the ball along.
  const auto pulled = MadeRigid(mesh, Field(mesh, [](const Vector& p) {
                                  return Vector{0.0, 0.0, p[1] < 0.19 ? -0.01 : 0.0};
                                }));
  EXPECT_LT(Bending(mesh, pulled, kSkin), 1e-8);
  const auto momenta = Momenta(mesh, pulled, kSkin);
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(momenta[i], 0.0, 1e-6) << "no shift";
  EXPECT_GT(std::abs(momenta[3]), 1e-3) << "a turn about x";
  // A look, and a stud that goes along with the skin, stay what they are.
  for (const Vector shift : {Vector{0, 0, 0}, Vector{0.01, 0, 0.01}}) {
    const auto turned = Field(mesh, [&](const Vector& p) {
      return Vector{shift[0] - 0.5 * (p[1] - 0.2), shift[1] + 0.5 * (p[0] - 0.3), shift[2]};
    });
    const auto kept = MadeRigid(mesh, turned);
    for (size_t i = 0; i < kept.size(); ++i) ASSERT_NEAR(kept[i], turned[i], 1e-5);
  }
}

TEST(RigidPartsTest, ABoxIsNoBall) {
  const Mesh mesh = SkinAnd(Box(0.25f, 0.25f, 0.25f));
  ASSERT_EQ(PartsOf(mesh).parts().size(), 1u);
  EXPECT_FALSE(PartsOf(mesh).parts()[0].is_ball);
}

}  // namespace
}  // namespace blendwire::mesh

// SPDX-License-Identifier: Apache-2.0

#include "client/internal/known_meshes.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"

namespace blendwire::client {
namespace {

constexpr size_t kFloats = 30;
constexpr size_t kBytes = kFloats * sizeof(float);

std::vector<float> Vertices(float value) { return std::vector<float>(kFloats, value); }

std::shared_ptr<const KnownMesh> Mesh(const std::string& id, float value) {
  auto mesh = std::make_shared<KnownMesh>();
  mesh->id = id;
  const std::vector<float> vertices = Vertices(value);
  mesh->vertices.Add(vertices.begin(), vertices.end());
  return mesh;
}

std::string IdOf(KnownMeshes& meshes, float value) {
  const std::vector<float> vertices = Vertices(value);
  const auto found = meshes.Find({vertices, {}});
  return found == nullptr ? "" : found->id;
}

TEST(KnownMeshesTest, FindsEqualContent) {
  KnownMeshes meshes(10 * kBytes);
  EXPECT_EQ(IdOf(meshes, 1.0f), "");
  meshes.Remember(Mesh("a", 1.0f));
  meshes.Remember(Mesh("b", 2.0f));
  EXPECT_EQ(IdOf(meshes, 1.0f), "a");
  EXPECT_EQ(IdOf(meshes, 2.0f), "b");
  EXPECT_EQ(IdOf(meshes, 3.0f), "");
  const std::vector<float> vertices = Vertices(1.0f);
  const std::vector<uint32_t> triangles = {0, 1, 2};
  EXPECT_EQ(meshes.Find({vertices, triangles}), nullptr);
}

TEST(KnownMeshesTest, NegativeZeroIsAnotherInput) {
  KnownMeshes meshes(10 * kBytes);
  meshes.Remember(Mesh("a", 0.0f));
  EXPECT_EQ(IdOf(meshes, -0.0f), "");
}

TEST(KnownMeshesTest, ANewNameReplacesTheOld) {
  KnownMeshes meshes(3 * kBytes);
  meshes.Remember(Mesh("b", 2.0f));
  for (const std::string id : {"a1", "a2", "a3", "a4"}) meshes.Remember(Mesh(id, 1.0f));
  EXPECT_EQ(IdOf(meshes, 1.0f), "a4");
  EXPECT_EQ(IdOf(meshes, 2.0f), "b");  // what was replaced takes no room
}

TEST(KnownMeshesTest, TheLeastRecentlyUsedGoesFirst) {
  KnownMeshes meshes(3 * kBytes);
  meshes.Remember(Mesh("a", 1.0f));
  meshes.Remember(Mesh("b", 2.0f));
  meshes.Remember(Mesh("c", 3.0f));
  EXPECT_EQ(IdOf(meshes, 1.0f), "a");
  meshes.Remember(Mesh("d", 4.0f));
  EXPECT_EQ(IdOf(meshes, 1.0f), "a");
  EXPECT_EQ(IdOf(meshes, 2.0f), "");
  EXPECT_EQ(IdOf(meshes, 3.0f), "c");
  EXPECT_EQ(IdOf(meshes, 4.0f), "d");
}

TEST(KnownMeshesTest, WhatWouldTakeMoreThanHalfIsNotRemembered) {
  KnownMeshes meshes(2 * kBytes - 1);
  meshes.Remember(Mesh("a", 1.0f));
  EXPECT_EQ(IdOf(meshes, 1.0f), "");
  KnownMeshes none(0);
  none.Remember(Mesh("a", 1.0f));
  EXPECT_EQ(IdOf(none, 1.0f), "");
}

TEST(KnownMeshesTest, AGuessIsTheMeshOfTheLastTwoCallsIfItIsLargeAndOfThatSize) {
  constexpr size_t kMany = 100'000;
  const auto large = [](const std::string& id, const std::vector<float>& vertices) {
    auto mesh = std::make_shared<KnownMesh>();
    mesh->id = id;
    mesh->vertices.Add(vertices.begin(), vertices.end());
    return mesh;
  };
  KnownMeshes meshes(16 * kMany * sizeof(float));
  const std::vector<float> a(kMany, 1.0f);
  const std::vector<float> b(kMany, 2.0f);
  EXPECT_EQ(meshes.Guess({a, {}}), nullptr);
  meshes.Remember(large("a", a));
  EXPECT_EQ(meshes.Guess({a, {}}), nullptr);  // only the last call had it
  ASSERT_NE(meshes.Find({a, {}}), nullptr);
  const auto guess = meshes.Guess({b, {}});
  ASSERT_NE(guess, nullptr);
  EXPECT_EQ(guess->id, "a");
  EXPECT_TRUE(meshes.IsRight(guess, {a, {}}));
  EXPECT_EQ(meshes.Guess({absl::MakeConstSpan(a).subspan(3), {}}), nullptr);
  const std::vector<uint32_t> triangle = {0, 1, 2};
  EXPECT_EQ(meshes.Guess({a, triangle}), nullptr);

  // One that was wrong is not followed by another.
  EXPECT_FALSE(meshes.IsRight(guess, {b, {}}));
  EXPECT_EQ(meshes.Guess({a, {}}), nullptr);
  meshes.Remember(large("b", b));
  EXPECT_EQ(meshes.Guess({b, {}}), nullptr);
  // Nor is there one for meshes that take turns.
  for (const std::vector<float>* mesh : {&a, &b, &a}) {
    ASSERT_NE(meshes.Find({*mesh, {}}), nullptr);
    EXPECT_EQ(meshes.Guess({*mesh, {}}), nullptr);
  }
}

TEST(KnownMeshesTest, ASmallMeshIsNotGuessed) {
  KnownMeshes meshes(10 * kBytes);
  meshes.Remember(Mesh("a", 1.0f));
  EXPECT_EQ(IdOf(meshes, 1.0f), "a");
  EXPECT_EQ(IdOf(meshes, 1.0f), "a");
  EXPECT_EQ(meshes.Guess({Vertices(1.0f), {}}), nullptr);
}

}  // namespace
}  // namespace blendwire::client

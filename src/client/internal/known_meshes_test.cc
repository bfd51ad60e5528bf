// SPDX-License-Identifier: Apache-2.0

#include "client/internal/known_meshes.h"

#include <memory>
#include <string>
#include <vector>

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

}  // namespace
}  // namespace blendwire::client

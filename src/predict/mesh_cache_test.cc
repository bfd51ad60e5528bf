// SPDX-License-Identifier: Apache-2.0

#include "predict/mesh_cache.h"

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "mesh/testing/meshes.h"

namespace blendwire::predict {
namespace {

using mesh::testing::Grid;
using mesh::testing::Mesh;

MeshView View(const Mesh& mesh) { return {mesh.vertices, mesh.triangles}; }

TEST(MeshCacheTest, EqualContentIsOneMesh) {
  MeshCache cache(1 << 20);
  const Mesh grid = Grid(5, 5);
  const Mesh copy = Grid(5, 5);
  EXPECT_EQ(cache.Get(View(grid)), cache.Get(View(copy)));
  // It works for the copy when the original is gone, or has changed.
  Mesh original = Grid(6, 6);
  const auto known = cache.Get(View(original));
  original.vertices.assign(original.vertices.size(), 9.0f);
  const Mesh same = Grid(6, 6);
  EXPECT_EQ(cache.Get(View(same)), known);
  EXPECT_EQ(known->derived->Adjacency(View(same)).node_count(), 36u);
}

TEST(MeshCacheTest, OneOtherValueIsAnotherMesh) {
  MeshCache cache(1 << 20);
  const Mesh grid = Grid(5, 5);
  const auto first = cache.Get(View(grid));
  Mesh moved = grid;
  moved.vertices.back() += 1e-6f;
  EXPECT_NE(cache.Get(View(moved)), first);
  Mesh turned = grid;
  std::swap(turned.triangles[0], turned.triangles[1]);
  EXPECT_NE(cache.Get(View(turned)), first);
  EXPECT_NE(cache.Get({grid.vertices, {}}), first);
  EXPECT_EQ(cache.Get(View(grid)), first);
}

TEST(MeshCacheTest, TheLeastRecentlyUsedGoesFirst) {
  const Mesh a = Grid(10, 10, 1.0f);
  const Mesh b = Grid(10, 10, 2.0f);
  const Mesh c = Grid(10, 10, 3.0f);
  const auto bytes_each = [&a] {
    MeshCache measure(1 << 20);
    measure.Get(View(a));
    return measure.used_bytes();
  }();
  ASSERT_GT(bytes_each, a.vertices.size() * 4 + a.triangles.size() * 4);
  // Four fit; then the one that was not asked for again is forgotten.
  MeshCache cache(4 * bytes_each);
  const std::weak_ptr<const KnownMesh> of_a = cache.Get(View(a));
  const std::weak_ptr<const KnownMesh> of_b = cache.Get(View(b));
  const std::weak_ptr<const KnownMesh> of_c = cache.Get(View(c));
  cache.Get(View(Grid(10, 10, 4.0f)));
  EXPECT_EQ(cache.used_bytes(), 4 * bytes_each);
  EXPECT_EQ(cache.Get(View(a)), of_a.lock());
  cache.Get(View(Grid(10, 10, 5.0f)));
  EXPECT_EQ(cache.used_bytes(), 4 * bytes_each);
  EXPECT_FALSE(of_a.expired());
  EXPECT_TRUE(of_b.expired());
  EXPECT_FALSE(of_c.expired());
}

TEST(MeshCacheTest, AnIdFindsItsMeshUntilThatIsForgotten) {
  const Mesh a = Grid(10, 10, 1.0f);
  const Mesh b = Grid(10, 10, 2.0f);
  MeshCache cache(1 << 20);
  const std::string of_a = cache.Get(View(a))->id;
  const std::string of_b = cache.Get(View(b))->id;
  EXPECT_EQ(of_a.size(), 16u);
  EXPECT_NE(of_a, of_b);
  ASSERT_NE(cache.Find(of_a), nullptr);
  EXPECT_EQ(cache.Find(of_a)->vertices, a.vertices);
  EXPECT_EQ(cache.Find(of_a)->triangles, a.triangles);
  EXPECT_EQ(cache.Find(of_a), cache.Get(View(a)));
  EXPECT_EQ(cache.Find(""), nullptr);
  EXPECT_EQ(cache.Find(std::string(16, 'x')), nullptr);
  // Another cache gives the same mesh another id.
  MeshCache other(1 << 20);
  EXPECT_NE(other.Get(View(a))->id, of_a);
  // Having been asked for counts as use.
  MeshCache small(2 * cache.used_bytes());  // four such meshes
  const std::string first = small.Get(View(a))->id;
  const std::string second = small.Get(View(b))->id;
  for (const float z : {3.0f, 4.0f}) small.Get(View(Grid(10, 10, z)));
  EXPECT_NE(small.Find(first), nullptr);
  small.Get(View(Grid(10, 10, 5.0f)));
  EXPECT_NE(small.Find(first), nullptr);
  EXPECT_EQ(small.Find(second), nullptr);
}

TEST(MeshCacheTest, AMeshTooLargeIsNotRemembered) {
  const Mesh grid = Grid(20, 20);
  MeshCache cache(1024);
  const auto known = cache.Get(View(grid));
  ASSERT_NE(known, nullptr);
  EXPECT_EQ(known->derived->Adjacency(View(grid)).node_count(), 400u);
  EXPECT_EQ(cache.used_bytes(), 0u);
  EXPECT_TRUE(known->id.empty());
  EXPECT_NE(cache.Get(View(grid)), known);
}

TEST(MeshCacheTest, ServesSeveralThreadsWithinItsLimit) {
  constexpr size_t kMaxBytes = 40'000;
  MeshCache cache(kMaxBytes);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t turn = 0; turn < 200; ++turn) {
        const Mesh grid = Grid(5, 5, static_cast<float>((turn + t) % 13));
        const auto known = cache.Get(View(grid));
        EXPECT_EQ(known->derived->Normals(View(grid))[2], 1.0f);
        EXPECT_EQ(known->derived->Adjacency(View(grid)).node_count(), 25u);
        EXPECT_LE(cache.used_bytes(), kMaxBytes);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace blendwire::predict

// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/node_layout.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mesh/adjacency.h"
#include "mesh/internal/node_offsets.h"
#include "mesh/testing/meshes.h"

namespace blendwire::mesh::internal {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

// Says that the layout is the adjacency in another order, each run of one degree and within a
// window.
void ExpectSame(const Adjacency& adjacency) {
  const NodeLayout& layout = adjacency.layout();
  ASSERT_EQ(layout.node_of.size(), adjacency.vertex_count());
  ASSERT_EQ(layout.first_vertex.size(), adjacency.node_count() + 1);
  std::vector<uint32_t> name(adjacency.node_count());  // in the adjacency
  std::set<uint32_t> seen;
  for (uint32_t v = 0; v < adjacency.vertex_count(); ++v) {
    const uint32_t node = layout.node_of[v];
    ASSERT_LT(node, adjacency.node_count());
    if (seen.insert(node).second) name[node] = adjacency.node_of(v);
    ASSERT_EQ(name[node], adjacency.node_of(v));
    const auto begin = layout.vertices.begin() + layout.first_vertex[node];
    const auto end = layout.vertices.begin() + layout.first_vertex[node + 1];
    EXPECT_EQ(std::count(begin, end, v), 1);
  }
  EXPECT_EQ(seen.size(), adjacency.node_count());

  uint32_t next = 0;
  for (const NodeLayout::Run& run : layout.runs) {
    ASSERT_EQ(run.begin, next);
    ASSERT_GT(run.end, run.begin);
    EXPECT_EQ(run.begin / NodeLayout::kWindow, (run.end - 1) / NodeLayout::kWindow);
    const uint32_t* neighbour = layout.neighbours.data() + run.first_neighbour;
    for (next = run.begin; next < run.end; ++next, neighbour += run.degree) {
      std::vector<uint32_t> names;
      for (uint32_t i = 0; i < run.degree; ++i) names.push_back(name[neighbour[i]]);
      EXPECT_THAT(names, UnorderedElementsAreArray(adjacency.neighbours(name[next])));
    }
  }
  EXPECT_EQ(next, adjacency.node_count());
}

TEST(NodeLayoutTest, HasEveryNodeWithItsVerticesAndNeighbours) {
  for (uint32_t seed = 0; seed < 10; ++seed) {
    const testing::Mesh mesh = testing::RandomMesh(seed, 150, 120);  // with welds, and in pieces
    ExpectSame(Adjacency::FromTriangles(mesh.vertices, mesh.triangles));
    ExpectSame(Adjacency::FromNearestNeighbours(mesh.vertices));
  }
  const testing::Mesh large = testing::GridWithSeam(70, 90);  // several windows
  ExpectSame(Adjacency::FromTriangles(large.vertices, large.triangles));
  EXPECT_THAT(Adjacency().layout().runs, IsEmpty());
}

TEST(NodeLayoutTest, ANodeWithManyNeighbours) {
  testing::Mesh fan = {{0, 0, 0}, {}};
  for (uint32_t i = 1; i <= 5000; ++i) {
    const auto x = static_cast<float>(i);
    fan.vertices.insert(fan.vertices.end(), {x, 1.0f, 0.001f * x * x});
    if (i > 1) fan.triangles.insert(fan.triangles.end(), {0, i - 1, i});
  }
  const Adjacency adjacency = Adjacency::FromTriangles(fan.vertices, fan.triangles);
  ASSERT_EQ(adjacency.neighbours(0).size(), 5000u);
  ExpectSame(adjacency);
}

TEST(NodeLayoutTest, SumsAreThoseOfTheNeighbours) {
  const testing::Mesh mesh = testing::RandomMesh(1, 3000, 9000);
  const Adjacency adjacency = Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  const NodeLayout& layout = adjacency.layout();
  std::vector<Padded> values(adjacency.node_count());
  for (size_t node = 0; node < values.size(); ++node) {
    values[node].value = Float4{1.0f, static_cast<float>(node % 512), 0.0f, 0.0f};
  }
  std::vector<int> visits(values.size(), 0);
  std::set<float> counts;
  ForEachNode(layout, values.data(), 0, values.size(),
              [&](size_t node, float count, const Float4& sum) {
                ++visits[node];
                counts.insert(count);
                EXPECT_EQ(sum[0], count);
                const auto run = std::find_if(
                    layout.runs.begin(), layout.runs.end(),
                    [node](const NodeLayout::Run& r) { return node >= r.begin && node < r.end; });
                float expected = 0.0f;
                for (uint32_t i = 0; i < run->degree; ++i) {
                  const size_t at = run->first_neighbour + (node - run->begin) * run->degree + i;
                  expected += static_cast<float>(layout.neighbours[at] % 512);
                }
                EXPECT_EQ(sum[1], expected);
              });
  EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), static_cast<ptrdiff_t>(visits.size()));
  EXPECT_GT(counts.size(), 13u) << "few, none and many neighbours";
}

}  // namespace
}  // namespace blendwire::mesh::internal

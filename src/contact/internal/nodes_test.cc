// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/nodes.h"

#include <algorithm>
#include <numeric>

#include "contact/testing/faces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::contact::internal {
namespace {

using contact::testing::Face;
using contact::testing::MakeFace;
using contact::testing::Neighbourhood;

class NodesTest : public ::testing::Test {
 protected:
  NodesTest() : face_(MakeFace()) {
    patch_ = contact::testing::AddPatch(face_, {0.0, 0.0, 0.2}, 0.01);
  }

  Face face_;
  uint32_t patch_ = 0;
};

TEST_F(NodesTest, PiecesAreWhatIsConnected) {
  const Neighbourhood neighbourhood(face_);
  const Surface surface = neighbourhood.surface(face_);
  const Nodes nodes = MakeNodes(surface, face_.margins);
  // Two eyes, the mouth and the patch.
  EXPECT_EQ(nodes.piece_count(), 4U);
  EXPECT_EQ(std::accumulate(nodes.piece_sizes.begin(), nodes.piece_sizes.end(), uint32_t{0}),
            nodes.count());
  EXPECT_EQ(nodes.piece_sizes[nodes.piece[surface.node_of[patch_]]], 4U);
  for (size_t node = 0; node < nodes.count(); ++node) {
    for (const uint32_t next : nodes.neighbours(node))
      EXPECT_EQ(nodes.piece[next], nodes.piece[node]);
  }
}

TEST_F(NodesTest, MarginsAreRelativeToTheSurest) {
  for (float& margin : face_.margins) margin *= 0.4f;
  const Neighbourhood neighbourhood(face_);
  const Nodes nodes = MakeNodes(neighbourhood.surface(face_), face_.margins);
  for (size_t m = 0; m < kMargins; ++m) {
    EXPECT_NEAR(nodes.certainty[m], 0.4, 1e-6);
    EXPECT_NEAR(*std::max_element(nodes.margins[m].begin(), nodes.margins[m].end()), 1.0f, 1e-6f);
  }
}

// Bellman and Ford: over all edges until nothing gets shorter.
TEST_F(NodesTest, SurfaceDistancesAreTheShortest) {
  const Neighbourhood neighbourhood(face_);
  const Nodes nodes = MakeNodes(neighbourhood.surface(face_), face_.margins);
  std::vector<uint32_t> members;  // with a hole, which must be walked around
  for (uint32_t node = 0; node < nodes.count(); ++node) {
    if (node % 11 != 3) members.push_back(node);
  }
  constexpr double kLimit = 0.03;
  const std::vector<uint32_t> seeds = {4, 250};
  const std::vector<double> distances = SurfaceGraph(nodes, members).Distances(seeds, kLimit);

  std::vector<double> expected(nodes.count(), 1e9);
  std::vector<char> is_member(nodes.count(), 0);
  for (const uint32_t node : members) is_member[node] = 1;
  for (const uint32_t seed : seeds) expected[members[seed]] = 0.0;
  for (bool changed = true; changed;) {
    changed = false;
    for (const uint32_t node : members) {
      for (const uint32_t next : nodes.neighbours(node)) {
        if (!is_member[next]) continue;
        const double through =
            expected[node] + Length(nodes.positions[next] - nodes.positions[node]);
        if (through < expected[next] - 1e-15) {
          expected[next] = through;
          changed = true;
        }
      }
    }
  }
  for (size_t i = 0; i < members.size(); ++i) {
    EXPECT_NEAR(distances[i], std::min(expected[members[i]], kLimit), 1e-12);
  }
}

TEST_F(NodesTest, APathIsAsLongAsTheDistance) {
  const Neighbourhood neighbourhood(face_);
  const Nodes nodes = MakeNodes(neighbourhood.surface(face_), face_.margins);
  std::vector<uint32_t> members(nodes.count());
  std::iota(members.begin(), members.end(), 0U);
  const uint32_t from = 17;
  const uint32_t to = 190;
  const SurfaceGraph graph(nodes, members);
  const std::vector<uint32_t> path = graph.Path(from, to, 1.0);
  ASSERT_GT(path.size(), 2U);
  EXPECT_EQ(path.front(), from);
  EXPECT_EQ(path.back(), to);
  double length = 0.0;
  for (size_t i = 1; i < path.size(); ++i) {
    EXPECT_THAT(nodes.neighbours(path[i - 1]), ::testing::Contains(path[i]));
    length += Length(nodes.positions[path[i]] - nodes.positions[path[i - 1]]);
  }
  const double distance = graph.Distances({&from, 1}, 1.0)[to];
  EXPECT_NEAR(length, distance, 1e-12);
  EXPECT_TRUE(graph.Path(from, to, 0.9 * distance).empty());
  EXPECT_TRUE(graph.Path(from, patch_, 1.0).empty());
}

// A chain with a shortcut: edges far longer than others, and a node that gets nearer twice.
TEST(SurfaceGraphTest, EdgesMayHaveAnyLength) {
  const std::vector<float> vertices = {0, 0, 0, 1e-6f, 0, 0, 2e-6f, 0, 0, 0.5f, 0, 0, 1, 0, 0};
  const std::vector<std::vector<uint32_t>> neighbours = {
      {1, 4, 3}, {0, 2}, {1, 3}, {2, 4, 0}, {3, 0}};
  const std::vector<uint32_t> node_of = {0, 1, 2, 3, 4};
  const auto neighbours_of = [&neighbours](size_t node) {
    return absl::MakeConstSpan(neighbours[node]);
  };
  const std::vector<float> margins(vertices.size() / 3 * kMargins, 0.0f);
  const Nodes nodes = MakeNodes({vertices, node_of, node_of.size(), neighbours_of, {}}, margins);
  const SurfaceGraph graph(nodes, node_of);
  const std::vector<uint32_t> seeds = {0};
  const auto are = [](std::vector<double> expected) {
    return ::testing::Pointwise(::testing::DoubleNear(1e-12), expected);
  };
  EXPECT_THAT(graph.Distances(seeds, 2.0), are({0.0, 1e-6f, 2e-6f, 0.5, 1.0}));
  EXPECT_THAT(graph.Distances(seeds, 0.7), are({0.0, 1e-6f, 2e-6f, 0.5, 0.7}));
  EXPECT_EQ(graph.Path(4, 1, 2.0).front(), 4U);
  EXPECT_EQ(graph.Path(4, 1, 2.0).back(), 1U);
  EXPECT_THAT(graph.Path(2, 2, 1.0), ::testing::ElementsAre(2U));
}

}  // namespace
}  // namespace blendwire::contact::internal

// SPDX-License-Identifier: Apache-2.0

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "gtest/gtest.h"
#include "mesh/rigid_parts.h"
#include "mesh/smoothing.h"
#include "mesh/stretch.h"
#include "mesh/testing/meshes.h"
#include "model/testing/model_files.h"
#include "predict/predict.h"
#include "predict/testing/predictions.h"

namespace blendwire::predict {
namespace {

// The model's offsets are the condition times the vertices.
TEST(PredictSurfaceTest, SolidsAreMadeRigidAndEdgesAreLimitedWhereTheModelWantsIt) {
  mesh::testing::Mesh skin = mesh::testing::Grid(40, 40);
  for (float& value : skin.vertices) value *= 2.0f;
  skin.Append(mesh::testing::Box(1.0f, 1.0f, 1.0f));
  MeshCache cache(1 << 24);
  const auto mesh = PreparedMesh::Create(skin.vertices, static_cast<int64_t>(skin.vertex_count()),
                                         skin.triangles, cache);
  ASSERT_TRUE(mesh.ok()) << mesh.status();
  const std::vector<float> condition = {4.0f, 3.0f, 3.0f};

  for (const bool smooth : {false, true}) {
    std::vector<float> expected = skin.vertices;
    for (size_t i = 0; i < expected.size(); ++i) expected[i] *= condition[i % 3];
    if (smooth) mesh::SmoothOffsets((*mesh)->adjacency(), 2, absl::MakeSpan(expected));
    const std::vector<float> plain = expected;
    mesh::MakeRigid((*mesh)->rigid_parts(), skin.vertices, absl::MakeSpan(expected));
    const std::vector<float> rigid = expected;
    EXPECT_NE(rigid, plain);
    mesh::SmoothingScratch scratch;
    EXPECT_GT(mesh::LimitStretch((*mesh)->adjacency(), (*mesh)->shortest_edges(), skin.vertices,
                                 2.0f, absl::MakeSpan(expected), scratch),
              0u);

    const Options options{
        .apply_smoothing = smooth, .smoothing_iterations = 2, .clamp_extreme_values = false};
    testing::Predictions predictions;
    predictions.Add(condition, options);
    predictions.Add(condition, options);
    predictions.Run(*model::testing::LoadModel("surface"), **mesh);
    for (const auto& offsets : predictions.offsets) EXPECT_EQ(offsets, expected);
  }
}

// Vertices that are merely near each other, like the lips of a closed mouth, may part.
TEST(PredictSurfaceTest, WithoutTrianglesOffsetsAreTheModels) {
  const mesh::testing::Mesh grid = mesh::testing::Grid(12, 12);
  MeshCache cache(1 << 24);
  const auto mesh =
      PreparedMesh::Create(grid.vertices, static_cast<int64_t>(grid.vertex_count()), {}, cache);
  ASSERT_TRUE(mesh.ok()) << mesh.status();
  testing::Predictions predictions;
  predictions.Add({4.0f, 4.0f, 4.0f});
  predictions.Run(*model::testing::LoadModel("surface"), **mesh);
  for (size_t i = 0; i < grid.vertices.size(); ++i) {
    ASSERT_EQ(predictions.offsets[0][i], 4.0f * grid.vertices[i]);
  }
  EXPECT_GT(predictions.outcomes[0].quality.max_displacement, 0.1f);
}

}  // namespace
}  // namespace blendwire::predict

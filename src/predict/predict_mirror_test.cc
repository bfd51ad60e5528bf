// SPDX-License-Identifier: Apache-2.0

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "mesh/testing/meshes.h"
#include "model/testing/model_files.h"
#include "predict/predict.h"
#include "predict/testing/predictions.h"

namespace blendwire::predict {
namespace {

using model::testing::LoadModel;
using testing::Condition;
using testing::Offsets;
using testing::Predictions;

// Three columns about x = 0.1; the first may be moved.
mesh::testing::Mesh Symmetric(float moved = 0.0f) {
  mesh::testing::Mesh mesh = mesh::testing::Grid(3, 4);
  for (size_t v = 0; v < mesh.vertex_count(); ++v) mesh.vertices[3 * v] += 0.1f - 1.0f / 64;
  for (size_t v = 0; v < mesh.vertex_count(); v += 3) mesh.vertices[3 * v + 2] += moved;
  return mesh;
}

std::shared_ptr<const PreparedMesh> Prepared(const mesh::testing::Mesh& mesh, MeshCache& cache) {
  return PreparedMesh::Create(mesh.vertices, static_cast<int64_t>(mesh.vertex_count()),
                              mesh.triangles, cache)
      .value();
}

void ExpectEverywhere(const Offsets& offsets, std::array<float, 3> expected) {
  ASSERT_FALSE(offsets.empty());
  for (size_t i = 0; i < offsets.size(); ++i) EXPECT_EQ(offsets[i], expected[i % 3]) << i;
}

// The model moves everything by (left, right, jaw), mirrored by (-right, left, jaw).
TEST(PredictMirrorTest, OnASymmetricMeshOffsetsAreAveragedWithTheirMirrorImages) {
  MeshCache cache(1 << 20);
  const auto model = LoadModel("mirror");
  const mesh::testing::Mesh symmetric = Symmetric();
  const auto mesh = Prepared(symmetric, cache);
  const std::vector<Condition> conditions = {
      {0.5f, 0.25f, 1.0f}, {0.75f, 0.75f, 0.0f}, {0.25f, 0.5f, 1.0f}};
  Predictions together;
  for (const Condition& condition : conditions) together.Add(condition);
  together.Run(*model, *mesh);
  ExpectEverywhere(together.offsets[0], {0.125f, 0.375f, 1.0f});
  ExpectEverywhere(together.offsets[1], {0.0f, 0.75f, 0.0f});
  ExpectEverywhere(together.offsets[2], {-0.125f, 0.375f, 1.0f});
  for (size_t i = 0; i < conditions.size(); ++i) {
    Predictions alone;
    alone.Add(conditions[i]);
    alone.Run(*model, *mesh);
    ASSERT_TRUE(alone.outcomes[0].status.ok()) << alone.outcomes[0].status;
    EXPECT_EQ(alone.offsets[0], together.offsets[i]);
    EXPECT_EQ(alone.asked[0], 1);
  }
}

// Both sides need each other's row, smoothed as each wants it.
TEST(PredictMirrorTest, MirrorImagesAreSmoothedAsTheExpressionIs) {
  MeshCache cache(1 << 20);
  const auto model = LoadModel("mirror_places");
  mesh::testing::Mesh symmetric = Symmetric();
  const auto mesh = Prepared(symmetric, cache);
  const std::vector<Condition> conditions = {{1.0f, 0.25f, 0.0f}, {0.25f, 1.0f, 0.0f}};
  for (const int second : {3, 9, 0}) {
    const std::vector<Options> options = {
        {.apply_smoothing = true, .smoothing_iterations = 3},
        {.apply_smoothing = second > 0, .smoothing_iterations = second}};
    Predictions together;
    for (size_t i = 0; i < 2; ++i) together.Add(conditions[i], options[i]);
    together.Run(*model, *mesh);
    for (size_t i = 0; i < 2; ++i) {
      Predictions alone;
      alone.Add(conditions[i], options[i]);
      alone.Run(*model, *mesh);
      EXPECT_EQ(alone.offsets[0], together.offsets[i]) << second;
    }
    const Offsets& left = together.offsets[0];
    const Offsets& right = together.offsets[1];
    EXPECT_NE(left, right);
    for (size_t v = 0; second == 3 && v < symmetric.vertex_count(); ++v) {
      const size_t other = v - v % 3 + 2 - v % 3;
      EXPECT_EQ(left[3 * v], -right[3 * other]) << v;
      EXPECT_EQ(left[3 * v + 1], right[3 * other + 1]) << v;
      EXPECT_EQ(left[3 * v + 2], right[3 * other + 2]) << v;
    }
  }
}

TEST(PredictMirrorTest, OnAnotherMeshAndForAnotherModelTheyAreNot) {
  MeshCache cache(1 << 20);
  const mesh::testing::Mesh symmetric = Symmetric();
  const mesh::testing::Mesh lopsided = Symmetric(0.002f);
  for (const bool average : {true, false}) {
    Predictions predictions;
    predictions.Add({0.5f, 0.25f, 1.0f});
    predictions.Run(*LoadModel(average ? "mirror" : "slots"),
                    *Prepared(average ? lopsided : symmetric, cache));
    ASSERT_TRUE(predictions.outcomes[0].status.ok()) << predictions.outcomes[0].status;
    ExpectEverywhere(predictions.offsets[0], {0.5f, 0.25f, 1.0f});
  }
}

}  // namespace
}  // namespace blendwire::predict

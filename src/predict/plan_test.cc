// SPDX-License-Identifier: Apache-2.0

#include "predict/plan.h"

#include <algorithm>
#include <memory>
#include <random>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/testing/model_files.h"

namespace blendwire::predict {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Mesh = std::shared_ptr<const PreparedMesh>;

class PlanTest : public ::testing::Test {
 protected:
  // `vertices` must outlive the mesh.
  Mesh MakeMesh(const std::vector<float>& vertices) {
    return PreparedMesh::Create(vertices, static_cast<int64_t>(vertices.size() / 3), {}, cache_)
        .value();
  }

  MeshCache cache_{1 << 20};
  const std::vector<float> small_vertices_ = std::vector<float>(size_t{3} * 4, 0.5f);   // 48 bytes
  const std::vector<float> large_vertices_ = std::vector<float>(size_t{3} * 40, 0.5f);  // 480 bytes
  const Mesh small_ = MakeMesh(small_vertices_);
  const Mesh other_ = MakeMesh(small_vertices_);
  const Mesh large_ = MakeMesh(large_vertices_);
  const std::shared_ptr<const model::Model> any_batch_ = model::testing::LoadModel("linear");
  const std::shared_ptr<const model::Model> two_ = model::testing::LoadModel("slots");
  const std::shared_ptr<const model::Model> one_ = model::testing::LoadModel("bare");
};

TEST_F(PlanTest, NothingNeedsNoRun) { EXPECT_THAT(PlanRuns({}), IsEmpty()); }

TEST_F(PlanTest, ItemsOfOneMeshAndModelShareARun) {
  const Need need = {any_batch_.get(), small_.get()};
  EXPECT_THAT(PlanRuns({need, need, need}), ElementsAre(ElementsAre(0, 1, 2)));
}

TEST_F(PlanTest, OtherMeshesAndModelsHaveRunsOfTheirOwn) {
  EXPECT_THAT(PlanRuns({{any_batch_.get(), small_.get()},
                        {any_batch_.get(), other_.get()},
                        {two_.get(), small_.get()},
                        {any_batch_.get(), small_.get()},
                        {any_batch_.get(), other_.get()}}),
              ElementsAre(ElementsAre(0, 3), ElementsAre(1, 4), ElementsAre(2)));
}

TEST_F(PlanTest, TheModelsLimitIsKept) {
  const Need pairs = {two_.get(), small_.get()};
  EXPECT_THAT(PlanRuns({pairs, pairs, pairs, pairs, pairs}),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4)));
  const Need singles = {one_.get(), small_.get()};
  EXPECT_THAT(PlanRuns({singles, singles}), ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST_F(PlanTest, MemoryIsKept) {
  const Need need = {any_batch_.get(), large_.get()};
  EXPECT_THAT(PlanRuns({need, need, need, need, need}, 2 * 480 + 479),
              ElementsAre(ElementsAre(0, 1), ElementsAre(2, 3), ElementsAre(4)));
}

TEST_F(PlanTest, AMeshTooLargeForTheMemoryRunsAlone) {
  const Need need = {any_batch_.get(), large_.get()};
  EXPECT_THAT(PlanRuns({need, need}, 100), ElementsAre(ElementsAre(0), ElementsAre(1)));
}

TEST_F(PlanTest, HoldsForRandomBatches) {
  std::mt19937 random(7);
  const std::vector<const model::Model*> models = {any_batch_.get(), two_.get(), one_.get()};
  const std::vector<const PreparedMesh*> meshes = {small_.get(), other_.get(), large_.get()};
  for (int turn = 0; turn < 200; ++turn) {
    std::vector<Need> needs(random() % 60);
    for (Need& need : needs) need = {models[random() % 3], meshes[random() % 3]};
    const size_t memory = 1 + random() % 3000;
    const std::vector<predict::Run> runs = PlanRuns(needs, memory);

    std::vector<int> times(needs.size(), 0);
    size_t first = 0;
    for (const predict::Run& run : runs) {
      ASSERT_FALSE(run.empty());
      EXPECT_TRUE(&run == &runs.front() || run.front() > first) << "runs in order of first items";
      first = run.front();
      EXPECT_TRUE(std::is_sorted(run.begin(), run.end()));
      const Need& need = needs[run.front()];
      for (const size_t i : run) {
        ++times[i];
        EXPECT_EQ(needs[i].model, need.model);
        EXPECT_EQ(needs[i].mesh, need.mesh);
      }
      const auto limit = static_cast<size_t>(need.model->facts().max_batch);
      EXPECT_TRUE(limit == 0 || run.size() <= limit);
      EXPECT_TRUE(run.size() == 1 ||
                  run.size() * need.mesh->vertices().size() * sizeof(float) <= memory);
    }
    EXPECT_TRUE(std::all_of(times.begin(), times.end(), [](int n) { return n == 1; }));
    // As few as possible: of the runs of one model and mesh, only the last is not full.
    for (size_t a = 0; a < runs.size(); ++a) {
      for (size_t b = a + 1; b < runs.size(); ++b) {
        const Need& need = needs[runs[a].front()];
        const Need& other = needs[runs[b].front()];
        if (need.model != other.model || need.mesh != other.mesh) continue;
        EXPECT_GE(runs[a].size(), runs[b].size());
        const auto limit = static_cast<size_t>(need.model->facts().max_batch);
        EXPECT_TRUE((limit != 0 && runs[a].size() == limit) ||
                    (runs[a].size() + 1) * need.mesh->vertices().size() * sizeof(float) > memory);
      }
    }
  }
}

}  // namespace
}  // namespace blendwire::predict

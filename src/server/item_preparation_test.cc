// SPDX-License-Identifier: Apache-2.0

#include "server/item_preparation.h"

#include <string>

#include "gtest/gtest.h"
#include "model/path_policy.h"
#include "model/testing/model_files.h"

namespace blendwire::server {
namespace {

class ItemPreparationTest : public ::testing::Test {
 protected:
  ItemPreparationTest() {
    EXPECT_TRUE(core_.models.Put("", model::testing::LoadModel("linear")).ok());
  }

  static pb::VertexOffsetRequest Item(float first = 0.5f) {
    pb::VertexOffsetRequest item;
    for (const float value : {first, 0.0f, 0.0f, 0.1f, 0.0f, 0.0f}) item.add_vertices(value);
    item.set_vertex_count(2);
    item.mutable_condition()->set_name("aa");
    return item;
  }

  static pb::VertexOffsetRequest Naming(const std::string& mesh_id) {
    pb::VertexOffsetRequest item;
    item.set_mesh_id(mesh_id);
    item.mutable_condition()->set_name("aa");
    return item;
  }

  Core core_{{}, {.workers = 1}, size_t{1} << 30, {}, *model::PathPolicy::Create({})};
};

TEST_F(ItemPreparationTest, EqualMeshesAreOne) {
  ItemPreparation preparation(core_);
  const pb::VertexOffsetRequest a = Item();
  const pb::VertexOffsetRequest b = Item();
  const pb::VertexOffsetRequest other = Item(0.25f);
  const auto first = preparation.Prepare(a);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(preparation.Prepare(b)->mesh, first->mesh);
  EXPECT_NE(preparation.Prepare(other)->mesh, first->mesh);
}

TEST_F(ItemPreparationTest, ItemsThatNameOneMeshShareIt) {
  const pb::VertexOffsetRequest sent = Item();
  std::string mesh_id;
  {
    ItemPreparation call(core_);
    mesh_id = call.Prepare(sent)->mesh->id();
  }
  ItemPreparation preparation(core_);
  const pb::VertexOffsetRequest a = Naming(mesh_id);
  const pb::VertexOffsetRequest b = Naming(mesh_id);
  const auto first = preparation.Prepare(a);
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->mesh->vertices()[0], 0.5f);
  EXPECT_EQ(preparation.Prepare(b)->mesh, first->mesh);
}

TEST_F(ItemPreparationTest, AnUnknownNameFailsItemOrBatch) {
  ItemPreparation preparation(core_);
  EXPECT_TRUE(absl::IsNotFound(preparation.Prepare(Naming("x")).status()));
  pb::BatchPredictionRequest batch;
  batch.set_mesh_id("x");
  EXPECT_TRUE(absl::IsNotFound(preparation.SetSharedMesh(batch)));
  // A mesh beside the name is for the items to complain about.
  batch.add_vertices(1.0f);
  EXPECT_TRUE(preparation.SetSharedMesh(batch).ok());
  pb::VertexOffsetRequest item;
  item.mutable_condition()->set_name("aa");
  EXPECT_TRUE(absl::IsInvalidArgument(preparation.Prepare(item).status()));
}

}  // namespace
}  // namespace blendwire::server

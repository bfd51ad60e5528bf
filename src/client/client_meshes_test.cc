// SPDX-License-Identifier: Apache-2.0
//
// A mesh goes over the wire once, as long as the server keeps it.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/client.h"
#include "client/testing/calls.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire {
namespace {

using ::testing::ElementsAreArray;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using ClientMeshesTest = testing::CallsTest;

TEST_F(ClientMeshesTest, AMeshThatTheServerKeepsIsSentOnce) {
  service_.keeps_meshes = true;
  ASSERT_TRUE(client_.Predict(Request()).ok());
  EXPECT_THAT(service_.LastPredict().vertices(), ElementsAreArray(vertices_));
  EXPECT_THAT(service_.LastPredict().mesh_id(), IsEmpty());

  const auto again = client_.Predict(Request());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->offsets, ElementsAreArray(Scaled(0.5f)));
  EXPECT_EQ(service_.LastPredict().mesh_id(), "mesh 1");
  EXPECT_EQ(service_.LastPredict().vertex_count(), 4);
  EXPECT_THAT(service_.LastPredict().vertices(), IsEmpty());
  EXPECT_FALSE(service_.LastPredict().has_topology());
  // Batches know it, too, and what they send others know.
  const auto batch = client_.PredictBatch(Batch({"aa", "oh"}));
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_THAT(batch->items[1]->offsets, ElementsAreArray(Scaled(0.25f)));
  EXPECT_EQ(service_.LastBatch().mesh_id(), "mesh 1");
  EXPECT_THAT(service_.LastBatch().vertices(), IsEmpty());
}

TEST_F(ClientMeshesTest, OneOtherBitIsAnotherMesh) {
  service_.keeps_meshes = true;
  ASSERT_TRUE(client_.Predict(Request()).ok());
  std::vector<float> vertices = vertices_;
  vertices.back() = -3.0000002f;
  PredictRequest moved = Request();
  moved.mesh.vertices = vertices;
  ASSERT_TRUE(client_.Predict(moved).ok());
  EXPECT_THAT(service_.LastPredict().vertices(), ElementsAreArray(vertices));
  PredictRequest bare = Request();
  bare.mesh.triangles = {};
  ASSERT_TRUE(client_.Predict(bare).ok());
  EXPECT_THAT(service_.LastPredict().vertices(), ElementsAreArray(vertices_));
}

TEST_F(ClientMeshesTest, AForgottenMeshIsSentAgain) {
  service_.keeps_meshes = true;
  ASSERT_TRUE(client_.Predict(Request()).ok());
  service_.ForgetMeshes();
  const auto again = client_.Predict(Request());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->offsets, ElementsAreArray(Scaled(0.5f)));
  EXPECT_THAT(service_.Seen(), SizeIs(3));
  EXPECT_THAT(service_.LastPredict().vertices(), ElementsAreArray(vertices_));
  EXPECT_THAT(service_.LastPredict().topology().triangles(), ElementsAreArray(triangles_));
  ASSERT_TRUE(client_.Predict(Request()).ok());
  EXPECT_EQ(service_.LastPredict().mesh_id(), "mesh 2");
}

// As after a restart: first nobody is there, then somebody who knows nothing.
TEST_F(ClientMeshesTest, AMeshForgottenWhileTheServerWasAwayIsSentAgain) {
  service_.keeps_meshes = true;
  ASSERT_TRUE(client_.PredictBatch(Batch({"aa", "oh"})).ok());
  bool away = true;
  service_.before = [&away](auto&, const auto&) {
    return std::exchange(away, false) ? grpc::Status(grpc::UNAVAILABLE, "away") : grpc::Status::OK;
  };
  service_.ForgetMeshes();
  const auto again = client_.PredictBatch(Batch({"aa", "oh"}));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->items[1]->offsets, ElementsAreArray(Scaled(0.25f)));
  EXPECT_THAT(service_.Seen(), SizeIs(4));
}

TEST_F(ClientMeshesTest, AStreamKnowsMeshesAndForgets) {
  service_.keeps_meshes = true;
  for (const std::string id : {"", "mesh 1", ""}) {
    int updates = 0;
    const auto stream = client_.PredictStream(
        Batch({"aa", "oh", "ou"}), [&updates](const BatchUpdate&) { return ++updates > 0; });
    ASSERT_TRUE(stream.ok()) << stream.status();
    EXPECT_EQ(updates, 3);
    EXPECT_THAT(stream->items[2]->offsets, ElementsAreArray(Scaled(0.5f)));
    EXPECT_EQ(service_.LastBatch().mesh_id(), id);
    EXPECT_EQ(service_.LastBatch().vertices().empty(), !id.empty());
    if (!id.empty()) service_.ForgetMeshes();
  }
}

TEST_F(ClientMeshesTest, AnItemsOwnMeshIsNotTakenForTheBatchs) {
  service_.keeps_meshes = true;
  BatchRequest request = Batch({"aa", "oh"});
  const std::vector<float> own = {9, 8, 7};
  request.items[0].mesh = MeshView{own, {}};
  ASSERT_TRUE(client_.PredictBatch(request).ok());
  ASSERT_TRUE(client_.PredictBatch(request).ok());
  EXPECT_EQ(service_.LastBatch().mesh_id(), "mesh 1");
  EXPECT_THAT(service_.LastBatch().requests(0).vertices(), ElementsAreArray(own));
}

TEST_F(ClientMeshesTest, WithoutMemoryForMeshesEachCallSendsItsOwn) {
  service_.keeps_meshes = true;
  ClientOptions options;
  options.known_mesh_bytes = 0;
  Client client = Connect(options);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client.Predict(Request()).ok());
    EXPECT_THAT(service_.LastPredict().vertices(), ElementsAreArray(vertices_));
  }
}

TEST_F(ClientMeshesTest, AModelThatIsNotThereStaysNotFound) {
  service_.keeps_meshes = true;
  ASSERT_TRUE(client_.Predict(Request()).ok());
  service_.before_answer = [](auto&, const auto&) {
    return grpc::Status(grpc::NOT_FOUND, "no such model");
  };
  const auto missing = client_.Predict(Request());
  EXPECT_EQ(missing.status(), absl::NotFoundError("no such model"));
  EXPECT_THAT(service_.Seen(), SizeIs(3));  // the second try had the mesh itself
}

}  // namespace
}  // namespace blendwire

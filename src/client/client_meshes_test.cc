// SPDX-License-Identifier: Apache-2.0
//
// A mesh goes over the wire once, as long as the server keeps it.

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "client/client.h"
#include "client/testing/calls.h"
#include "client/testing/connections.h"
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

// A mesh so large that the server starts on the last one while it is compared.
class ClientGuessTest : public testing::CallsTest {
 protected:
  ClientGuessTest() {
    service_.keeps_meshes = true;
    for (size_t i = 0; i < large_.size(); ++i) large_[i] = static_cast<float>(i % 1000);
  }
  // A try that was cancelled may get to the server at any time, also after the one that followed.
  ~ClientGuessTest() override { server_.Stop(); }

  PredictRequest Large() {
    PredictRequest request = Request();
    request.mesh = {large_, triangles_};
    return request;
  }

  // After this the next call rests on a guess.
  void CallTwice() {
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(client_.Predict(Large()).ok());
  }

  std::vector<float> Answer() const {
    std::vector<float> answer;
    for (const float value : large_) answer.push_back(0.5f * value);
    return answer;
  }

  std::vector<float> large_ = std::vector<float>(90'000);
  testing::Gate gate_;  // is never opened
};

TEST_F(ClientGuessTest, ARightGuessNamesTheMesh) {
  CallTwice();
  for (int i = 0; i < 10; ++i) {
    const auto again = client_.Predict(Large());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->offsets, Answer());
    EXPECT_EQ(service_.LastPredict().mesh_id(), "mesh 1");
  }
  EXPECT_THAT(service_.Seen(), SizeIs(12));
}

TEST_F(ClientGuessTest, AWrongGuessNeverAnswers) {
  std::atomic<int> in_full = 0;
  service_.before_answer = [this, &in_full](auto&, const auto& request) {
    if (request.vertices_size() > 0) {
      EXPECT_THAT(request.topology().triangles(), ElementsAreArray(triangles_));
      ++in_full;
    }
    return grpc::Status::OK;
  };
  for (int turn = 0; turn < 10; ++turn) {
    CallTwice();
    large_[static_cast<size_t>(turn) * 9'999] = -7.0f;
    const auto moved = client_.Predict(Large());
    ASSERT_TRUE(moved.ok()) << moved.status();
    EXPECT_EQ(moved->offsets, Answer());
    EXPECT_EQ(in_full, turn + 2);
  }
  server_.Stop();
}

TEST_F(ClientGuessTest, AWrongGuessIsNotWaitedFor) {
  service_.before_answer = [this](auto& context, const auto& request) {
    return request.mesh_id() == "mesh 1" && request.condition().name() == "held"
               ? gate_.Wait(context)
               : grpc::Status::OK;
  };
  CallTwice();
  std::vector<float> moved = large_;
  moved.back() = -7.0f;
  PredictRequest request = Large();
  request.mesh.vertices = moved;
  request.expression.name = "held";
  std::vector<float> offsets(large_.size());
  request.output = absl::MakeSpan(offsets);
  auto future = client_.PredictAsync(request);
  std::fill(moved.begin(), moved.end(), 0.0f);  // the caller's again
  const auto answer = future.get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  large_.back() = -7.0f;
  EXPECT_EQ(offsets, Answer());
  EXPECT_TRUE(client_.Predict(Large()).ok());
}

TEST_F(ClientGuessTest, AnErrorIsThatOfTheMeshThatWasMeant) {
  service_.before_answer = [](auto&, const auto& request) {
    if (request.condition().name() != "missing") return grpc::Status::OK;
    return request.mesh_id().empty() ? grpc::Status(grpc::NOT_FOUND, "no such model")
                                     : grpc::Status(grpc::INVALID_ARGUMENT, "not of this mesh");
  };
  CallTwice();
  large_[0] = -7.0f;
  PredictRequest request = Large();
  request.expression.name = "missing";
  EXPECT_EQ(client_.Predict(request).status(), absl::NotFoundError("no such model"));
}

TEST_F(ClientGuessTest, AForgottenGuessIsSentAgain) {
  CallTwice();
  service_.ForgetMeshes();
  const auto again = client_.Predict(Large());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->offsets, Answer());
  EXPECT_THAT(service_.LastPredict().mesh_id(), IsEmpty());
}

TEST_F(ClientGuessTest, ACallCanBeCancelledBeforeAndAfterAWrongGuess) {
  std::atomic<bool> held = false;
  service_.before_answer = [this, &held](auto& context, const auto&) {
    return held ? gate_.Wait(context) : grpc::Status::OK;
  };
  CallTwice();
  held = true;
  large_[0] = -7.0f;
  const CallOptions call;
  auto future = client_.PredictAsync(Large(), call);
  call.cancellation.Cancel();
  EXPECT_EQ(future.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(client_.Predict(Large(), call).status().code(), absl::StatusCode::kCancelled);
  server_.Stop();
}

}  // namespace
}  // namespace blendwire

// SPDX-License-Identifier: Apache-2.0
//
// Each call against a real gRPC server: what arrives there, and what comes back.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "client/client.h"
#include "client/testing/calls.h"
#include "client/testing/fake_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire {
namespace {

namespace contract = ::vrchat::blendshape::inference;
using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

using ClientCallsTest = testing::CallsTest;

TEST_F(ClientCallsTest, Health) {
  const auto health = client_.Health();
  ASSERT_TRUE(health.ok()) << health.status();
  EXPECT_EQ(health->status, ServingStatus::kServing);
  EXPECT_EQ(health->message, "ready");
  EXPECT_EQ(health->server.version, "0.1.0");
  EXPECT_EQ(health->server.model_version, "1.2");
  EXPECT_TRUE(health->server.gpu_available);
  EXPECT_EQ(health->server.device_info, "CPU: fake");
  EXPECT_EQ(health->server.max_concurrent_requests, 4);
}

TEST_F(ClientCallsTest, PredictSendsEverything) {
  PredictRequest request = Request();
  request.expression.kind = ExpressionKind::kCustom;
  request.expression.features = {0.25f, 0.5f};
  request.expression.parameters = {{"jawOpen", 0.4f}, {"mouthClose", 0.1f}};
  request.options.apply_smoothing = false;
  request.options.smoothing_iterations = 5;
  request.options.max_displacement = 0.5f;
  request.options.clamp_extreme_values = false;
  request.options.timeout_seconds = 7;
  request.model = "other";
  ASSERT_TRUE(client_.Predict(request).ok());

  const contract::VertexOffsetRequest seen = service_.LastPredict();
  EXPECT_THAT(seen.vertices(), ElementsAreArray(vertices_));
  EXPECT_EQ(seen.vertex_count(), 4);
  EXPECT_THAT(seen.topology().triangles(), ElementsAreArray(triangles_));
  EXPECT_EQ(seen.condition().type(), contract::ExpressionCondition::CUSTOM);
  EXPECT_EQ(seen.condition().name(), "aa");
  EXPECT_EQ(seen.condition().intensity(), 0.5f);
  EXPECT_THAT(seen.condition().features(), ElementsAre(0.25f, 0.5f));
  EXPECT_THAT(seen.condition().parameters(),
              UnorderedElementsAre(Pair("jawOpen", 0.4f), Pair("mouthClose", 0.1f)));
  EXPECT_FALSE(seen.options().apply_smoothing());
  EXPECT_EQ(seen.options().smoothing_iterations(), 5);
  EXPECT_EQ(seen.options().max_displacement(), 0.5f);
  EXPECT_FALSE(seen.options().clamp_extreme_values());
  EXPECT_EQ(seen.options().timeout_seconds(), 7);
  EXPECT_EQ(seen.model_name(), "other");
}

TEST_F(ClientCallsTest, PredictSendsTheSpecificationsDefaults) {
  ASSERT_TRUE(client_.Predict(Request()).ok());
  const contract::PredictionOptions seen = service_.LastPredict().options();
  EXPECT_TRUE(seen.apply_smoothing());
  EXPECT_EQ(seen.smoothing_iterations(), 2);
  EXPECT_EQ(seen.max_displacement(), 0.08f);
  EXPECT_TRUE(seen.clamp_extreme_values());
  EXPECT_EQ(seen.timeout_seconds(), 30);
  EXPECT_EQ(service_.LastPredict().condition().type(), contract::ExpressionCondition::VISEME);
}

TEST_F(ClientCallsTest, PredictReturnsOffsetsAndMetadata) {
  const auto prediction = client_.Predict(Request());
  ASSERT_TRUE(prediction.ok()) << prediction.status();
  EXPECT_EQ(prediction->offsets, Scaled(0.5f));
  const PredictionMetadata& metadata = prediction->metadata;
  EXPECT_EQ(metadata.inference_time_ms, 1.5f);
  EXPECT_EQ(metadata.preprocessing_time_ms, 2.5f);
  EXPECT_EQ(metadata.postprocessing_time_ms, 3.5f);
  EXPECT_EQ(metadata.queue_time_ms, 4.5f);
  EXPECT_EQ(metadata.vertices_processed, 4);
  EXPECT_EQ(metadata.model_version, "1.2");
  EXPECT_EQ(metadata.model_name, "default");
  EXPECT_EQ(metadata.execution_provider, "FakeProvider");
  EXPECT_EQ(metadata.quality.mean_displacement, 0.01f);
  EXPECT_EQ(metadata.quality.max_displacement, 0.02f);
  EXPECT_EQ(metadata.quality.extreme_vertices, 3);
  EXPECT_EQ(metadata.quality.smoothness, 0.75f);
}

TEST_F(ClientCallsTest, PredictWritesIntoTheCallersBuffer) {
  std::vector<float> buffer(14, 99.0f);
  const auto metadata = client_.PredictInto(Request(), absl::MakeSpan(buffer).subspan(1, 12));
  ASSERT_TRUE(metadata.ok()) << metadata.status();
  std::vector<float> expected = Scaled(0.5f);
  expected.insert(expected.begin(), 99.0f);
  expected.push_back(99.0f);
  EXPECT_EQ(buffer, expected);
}

TEST_F(ClientCallsTest, ABufferOfTheWrongSizeIsRefusedBeforeTheCall) {
  std::vector<float> buffer(11);
  const auto metadata = client_.PredictInto(Request(), absl::MakeSpan(buffer));
  EXPECT_EQ(metadata.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(metadata.status().message(), HasSubstr("11"));
  EXPECT_THAT(metadata.status().message(), HasSubstr("12"));
  EXPECT_THAT(service_.Seen(), IsEmpty());
}

TEST_F(ClientCallsTest, TheRequestMayGoOnceTheCallHasStarted) {
  auto vertices = std::make_unique<std::vector<float>>(3000, 2.0f);
  PredictRequest request = Request();
  request.mesh = {*vertices, {}};
  auto future = client_.PredictAsync(request);
  vertices->assign(3000, -1.0f);
  vertices.reset();
  const auto prediction = future.get();
  ASSERT_TRUE(prediction.ok()) << prediction.status();
  EXPECT_EQ(prediction->offsets, std::vector<float>(3000, 1.0f));
}

TEST_F(ClientCallsTest, AFailureInsideASuccessfulAnswerIsAnError) {
  PredictRequest request = Request();
  request.expression.name = "bad";
  EXPECT_EQ(client_.Predict(request).status(),
            absl::InvalidArgumentError("condition.name is \"bad\""));
  // A server of the specification has no status_code.
  service_.spoil = [](auto& response) { response.set_status_code(0); };
  EXPECT_EQ(client_.Predict(request).status(), absl::UnknownError("condition.name is \"bad\""));
}

TEST_F(ClientCallsTest, AnAnswerOfTheWrongLengthIsAnError) {
  service_.spoil = [](auto& response) { response.mutable_offsets()->RemoveLast(); };
  const auto prediction = client_.Predict(Request());
  EXPECT_EQ(prediction.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(prediction.status().message(), HasSubstr("11"));
}

TEST_F(ClientCallsTest, EveryCodeAndMessageArrivesUnchanged) {
  for (int code = 1; code <= 16; ++code) {
    if (code == grpc::UNAVAILABLE) continue;  // is tried again: client_connection_test.cc
    service_.before = [code](auto&, auto&) {
      return grpc::Status(static_cast<grpc::StatusCode>(code),
                          "tëxt \"quoted\" " + std::to_string(code));
    };
    EXPECT_EQ(client_.Health().status(), absl::Status(static_cast<absl::StatusCode>(code),
                                                      "tëxt \"quoted\" " + std::to_string(code)));
  }
}

TEST_F(ClientCallsTest, BatchSendsTheSharedMeshOnce) {
  BatchRequest request = Batch({"sil", "aa", "ou"});
  request.max_parallel = 2;
  request.items[1].model = "other";
  const std::vector<float> own = {9, 8, 7};
  request.items[2].mesh = MeshView{own, {}};
  const auto result = client_.PredictBatch(request);
  ASSERT_TRUE(result.ok()) << result.status();

  const contract::BatchPredictionRequest seen = service_.LastBatch();
  EXPECT_THAT(seen.vertices(), ElementsAreArray(vertices_));
  EXPECT_EQ(seen.vertex_count(), 4);
  EXPECT_THAT(seen.topology().triangles(), ElementsAreArray(triangles_));
  EXPECT_EQ(seen.max_parallel_requests(), 2);
  ASSERT_EQ(seen.requests_size(), 3);
  EXPECT_THAT(seen.requests(0).vertices(), IsEmpty());
  EXPECT_FALSE(seen.requests(0).has_topology());
  EXPECT_EQ(seen.requests(1).model_name(), "other");
  EXPECT_THAT(seen.requests(2).vertices(), ElementsAreArray(own));
  EXPECT_EQ(seen.requests(2).vertex_count(), 1);

  ASSERT_THAT(result->items, SizeIs(3));
  EXPECT_EQ(result->items[0]->offsets, Scaled(0.0f));
  EXPECT_EQ(result->items[1]->offsets, Scaled(0.25f));
  EXPECT_EQ(result->items[2]->offsets, (std::vector<float>{4.5f, 4.0f, 3.5f}));
  EXPECT_EQ(result->total_processing_time_ms, 12.5f);
  EXPECT_TRUE(result->all_successful());
}

TEST_F(ClientCallsTest, OneBadItemDoesNotFailTheOthers) {
  BatchRequest request = Batch({"aa", "bad", "ou"});
  std::vector<float> buffer(12, 99.0f);
  request.items[2].output = absl::MakeSpan(buffer);
  const auto result = client_.PredictBatch(request);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_FALSE(result->all_successful());
  EXPECT_TRUE(result->items[0].ok());
  EXPECT_EQ(result->items[1].status(), absl::InvalidArgumentError("condition.name is \"bad\""));
  ASSERT_TRUE(result->items[2].ok());
  EXPECT_THAT(result->items[2]->offsets, IsEmpty());
  EXPECT_EQ(buffer, Scaled(0.5f));
}

TEST_F(ClientCallsTest, ABatchWithAnswersMissingIsAnError) {
  service_.spoil_batch = [](auto& response) { response.mutable_responses()->RemoveLast(); };
  EXPECT_EQ(client_.PredictBatch(Batch({"aa", "ou"})).status().code(), absl::StatusCode::kInternal);
}

TEST_F(ClientCallsTest, ABatchBufferOfTheWrongSizeNamesItsItem) {
  BatchRequest request = Batch({"aa", "ou"});
  std::vector<float> buffer(3);
  request.items[1].output = absl::MakeSpan(buffer);
  const auto result = client_.PredictBatchAsync(request).get();
  EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(result.status().message(), HasSubstr("items[1].output"));
}

TEST_F(ClientCallsTest, StreamReportsEachItemAndReturnsThemInOrder) {
  std::vector<size_t> order;
  const auto result = client_.PredictStream(Batch({"aa", "bad", "ou"}), [&](const BatchUpdate& u) {
    order.push_back(u.index);
    EXPECT_EQ(u.completed, order.size());
    EXPECT_EQ(u.total, 3u);
    EXPECT_EQ(u.result.ok(), u.index != 1);
  });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(order, ElementsAre(2, 1, 0));
  EXPECT_EQ(result->items[0]->offsets, Scaled(0.0f));
  EXPECT_EQ(result->items[1].status(), absl::InvalidArgumentError("condition.name is \"bad\""));
  EXPECT_EQ(result->items[2]->offsets, Scaled(0.5f));
}

TEST_F(ClientCallsTest, StreamWritesIntoTheCallersBuffers) {
  BatchRequest request = Batch({"aa", "ou"});
  std::vector<float> buffers[2] = {std::vector<float>(12), std::vector<float>(12)};
  for (size_t i = 0; i < 2; ++i) request.items[i].output = absl::MakeSpan(buffers[i]);
  const auto result = client_.PredictStreamAsync(request, nullptr).get();
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(buffers[0], Scaled(0.0f));
  EXPECT_EQ(buffers[1], Scaled(0.25f));
}

TEST_F(ClientCallsTest, AStreamThatLiesIsAnError) {
  for (const int index : {-1, 0, 2, std::numeric_limits<int>::max()}) {
    service_.spoil_update = [index](auto& update) { update.set_index(index); };
    const auto result = client_.PredictStream(Batch({"aa", "ou"}), nullptr);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInternal) << index;
  }
}

TEST_F(ClientCallsTest, Stats) {
  const auto stats = client_.Stats();
  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_EQ(stats->total_requests, 100);
  EXPECT_EQ(stats->successful_requests, 90);
  EXPECT_EQ(stats->failed_requests, 10);
  EXPECT_EQ(stats->rejected_requests, 1);
  EXPECT_EQ(stats->cancelled_requests, 2);
  EXPECT_EQ(stats->deadline_exceeded_requests, 3);
  EXPECT_EQ(stats->in_flight_requests, 4);
  EXPECT_EQ(stats->queued_requests, 5);
  EXPECT_EQ(stats->avg_inference_time_ms, 1.0f);
  EXPECT_EQ(stats->max_inference_time_ms, 2.0f);
  EXPECT_EQ(stats->min_inference_time_ms, 0.5f);
  EXPECT_EQ(stats->uptime_seconds, 12.0f);
  EXPECT_EQ(stats->resources.cpu_usage_percent, 150.0f);
  EXPECT_EQ(stats->resources.memory_usage_mb, 64.0f);
  EXPECT_EQ(stats->resources.gpu_memory_usage_mb, 32.0f);
  EXPECT_EQ(stats->resources.gpu_utilization_percent, 16.0f);
  const LatencySummary* const summaries[] = {
      &stats->total_time,     &stats->queue_time,          &stats->preprocessing_time,
      &stats->inference_time, &stats->postprocessing_time, &stats->models.at(0).inference_time};
  int base = 0;
  for (const LatencySummary* summary : summaries) {
    base += 10;
    EXPECT_EQ(summary->count, base);
    EXPECT_FLOAT_EQ(summary->mean_ms, static_cast<float>(base) + 0.1f);
    EXPECT_FLOAT_EQ(summary->p50_ms, static_cast<float>(base) + 0.2f);
    EXPECT_FLOAT_EQ(summary->p95_ms, static_cast<float>(base) + 0.3f);
    EXPECT_FLOAT_EQ(summary->p99_ms, static_cast<float>(base) + 0.4f);
    EXPECT_FLOAT_EQ(summary->max_ms, static_cast<float>(base) + 0.5f);
  }
  EXPECT_EQ(stats->models[0].model_name, "default");
  EXPECT_EQ(stats->models[0].successful_requests, 80);
  EXPECT_EQ(stats->models[0].failed_requests, 8);
  EXPECT_EQ(client_.Stats(/*reset=*/true)->total_requests, 1000);
}

TEST_F(ClientCallsTest, LoadModel) {
  LoadModelRequest request;
  request.path = "/models/face.onnx";
  request.name = "second";
  request.options = {{"threads", "2"}};
  const auto loaded = client_.LoadModel(request);
  ASSERT_TRUE(loaded.ok()) << loaded.status();
  EXPECT_EQ(loaded->version, "2.0");
  EXPECT_EQ(service_.LastLoad().model_path(), "/models/face.onnx");
  EXPECT_EQ(service_.LastLoad().model_name(), "second");
  EXPECT_THAT(service_.LastLoad().options(), ElementsAre(Pair("threads", "2")));
  request.path = "/models/face.txt";
  EXPECT_EQ(client_.LoadModel(request).status(), absl::UnknownError("Failed to load model"));
}

TEST_F(ClientCallsTest, UnloadModel) {
  EXPECT_TRUE(client_.UnloadModel("second").ok());
  EXPECT_EQ(client_.UnloadModel("missing"), absl::NotFoundError("no model \"missing\" is loaded"));
}

TEST_F(ClientCallsTest, ListModels) {
  const auto models = client_.ListModels();
  ASSERT_TRUE(models.ok()) << models.status();
  ASSERT_THAT(*models, SizeIs(2));
  const ModelInfo& model = models->front();
  EXPECT_EQ(model.name, "default");
  EXPECT_EQ(model.version, "1.2");
  EXPECT_EQ(model.title, "A face");
  EXPECT_EQ(model.execution_provider, "FakeProvider");
  EXPECT_EQ(model.condition_size, 2);
  EXPECT_THAT(model.condition_slots, ElementsAre("viseme:aa", "unit:jawOpen"));
  EXPECT_TRUE(model.takes_normals);
  EXPECT_EQ(model.max_batch, 8);
  EXPECT_THAT(model.expressions, ElementsAre("aa"));
  EXPECT_EQ(model.sha256, "abc");
  EXPECT_EQ((*models)[1].name, "second");
}

}  // namespace
}  // namespace blendwire

// SPDX-License-Identifier: Apache-2.0

#include "server/translate.h"

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(ToGrpcTest, EveryCodeKeepsItsNumberAndMessage) {
  EXPECT_TRUE(ToGrpc(absl::OkStatus()).ok());
  for (int code = 1; code <= 16; ++code) {
    const grpc::Status status = ToGrpc(absl::Status(static_cast<absl::StatusCode>(code), "why"));
    EXPECT_EQ(static_cast<int>(status.error_code()), code);
    EXPECT_EQ(status.error_message(), "why");
  }
}

TEST(ToConditionSpecTest, TakesEveryField) {
  pb::ExpressionCondition condition;
  condition.set_type(pb::ExpressionCondition::CUSTOM);
  condition.set_name("my face");
  condition.set_intensity(0.25f);
  condition.add_features(1.0f);
  condition.add_features(2.0f);
  (*condition.mutable_parameters())["jawOpen"] = 0.5f;
  (*condition.mutable_parameters())["browInnerUp"] = 0.75f;
  const auto spec = ToConditionSpec(condition);
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->kind, expression::Kind::kCustom);
  EXPECT_EQ(spec->name, "my face");
  EXPECT_EQ(spec->intensity, 0.25f);
  EXPECT_THAT(spec->features, ElementsAre(1.0f, 2.0f));
  EXPECT_EQ(spec->features.data(), condition.features().data()) << "no copy";
  EXPECT_THAT(spec->parameters, ElementsAre(Pair("browInnerUp", 0.75f), Pair("jawOpen", 0.5f)))
      << "sorted";
}

TEST(ToConditionSpecTest, KnowsEveryType) {
  for (const auto& [type, kind] :
       {std::pair{pb::ExpressionCondition::VISEME, expression::Kind::kViseme},
        std::pair{pb::ExpressionCondition::EMOTION, expression::Kind::kEmotion},
        std::pair{pb::ExpressionCondition::CUSTOM, expression::Kind::kCustom}}) {
    pb::ExpressionCondition condition;
    condition.set_type(type);
    EXPECT_EQ(ToConditionSpec(condition)->kind, kind);
  }
}

// proto3 lets numbers through that the enumeration does not have.
TEST(ToConditionSpecTest, AnUnknownTypeIsRefused) {
  pb::ExpressionCondition condition;
  ASSERT_TRUE(condition.ParseFromString(std::string("\x08\x07", 2)));
  const absl::Status status = ToConditionSpec(condition).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("condition.type is 7"));
}

TEST(ToOptionsTest, TakesEveryField) {
  pb::PredictionOptions message;
  message.set_apply_smoothing(true);
  message.set_smoothing_iterations(7);
  message.set_max_displacement(0.25f);
  message.set_clamp_extreme_values(true);
  message.set_timeout_seconds(9);
  const predict::Options options = ToOptions(message);
  EXPECT_TRUE(options.apply_smoothing);
  EXPECT_EQ(options.smoothing_iterations, 7);
  EXPECT_EQ(options.max_displacement, 0.25f);
  EXPECT_TRUE(options.clamp_extreme_values);
  EXPECT_EQ(options.timeout_seconds, 9);
  const predict::Options none = ToOptions({});
  EXPECT_FALSE(none.apply_smoothing);
  EXPECT_FALSE(none.clamp_extreme_values);
}

TEST(SpansTest, AreTheMessagesMemory) {
  pb::VertexOffsetRequest request;
  for (const float value : {1.0f, 2.0f, 3.0f}) request.add_vertices(value);
  request.mutable_topology()->add_triangles(4);
  EXPECT_EQ(VerticesOf(request).data(), request.vertices().data());
  EXPECT_EQ(VerticesOf(request).size(), 3u);
  EXPECT_EQ(TrianglesOf(request.topology()).data(), request.topology().triangles().data());
  pb::BatchPredictionRequest batch;
  EXPECT_TRUE(VerticesOf(batch).empty());
  batch.add_vertices(5.0f);
  EXPECT_THAT(VerticesOf(batch), ElementsAre(5.0f));
}

TEST(FillLatencyTest, IsInMilliseconds) {
  EXPECT_FLOAT_EQ(Millis(absl::Microseconds(1500)), 1.5f);
  Histogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.Record(absl::Milliseconds(i));
  pb::LatencySummary summary;
  FillLatency(histogram, summary);
  EXPECT_EQ(summary.count(), 100);
  EXPECT_FLOAT_EQ(summary.mean_ms(), 50.5f);
  EXPECT_NEAR(summary.p50_ms(), 50.0f, 1.3f);
  EXPECT_NEAR(summary.p95_ms(), 95.0f, 2.4f);
  EXPECT_NEAR(summary.p99_ms(), 99.0f, 2.5f);
  EXPECT_FLOAT_EQ(summary.max_ms(), 100.0f);
}

}  // namespace
}  // namespace blendwire::server

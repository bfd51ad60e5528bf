// SPDX-License-Identifier: Apache-2.0
//
// Predictions and batches that are waited for.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "capi/blendwire.h"
#include "capi/testing/library.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::capi_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PredictTest, FillsTheCallersBuffer) {
  const ClientPointer client = Connect();
  Request request;
  const std::array<uint32_t, 6> triangles = {0, 1, 2, 1, 2, 3};
  request.mesh.triangles = triangles.data();
  request.mesh.triangle_count = 2;
  blendwire_prediction_info info = Info();
  ASSERT_EQ(blendwire_predict(client.get(), &request.request, nullptr, &info), BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_EQ(request.offsets, request.Expected());
  EXPECT_EQ(info.code, BLENDWIRE_OK);
  EXPECT_EQ(info.inference_time_ms, 1.5f);
  EXPECT_EQ(info.preprocessing_time_ms, 2.5f);
  EXPECT_EQ(info.postprocessing_time_ms, 3.5f);
  EXPECT_EQ(info.queue_time_ms, 4.5f);
  EXPECT_EQ(info.vertices_processed, 4);
  EXPECT_EQ(info.mean_displacement, 0.01f);
  EXPECT_EQ(info.max_displacement, 0.02f);
  EXPECT_EQ(info.extreme_vertices, 3);
  EXPECT_EQ(info.smoothness, 0.75f);
  EXPECT_STREQ(info.model_name, "default");
  EXPECT_STREQ(info.model_version, "1.2");
  EXPECT_STREQ(info.execution_provider, "FakeProvider");
}

TEST(PredictTest, SendsEverything) {
  const ClientPointer client = Connect();
  Request request("x");
  const std::array<uint32_t, 3> triangle = {0, 1, 2};
  request.mesh.triangles = triangle.data();
  request.mesh.triangle_count = 1;
  const std::array<float, 2> features = {0.25f, 0.5f};
  const std::array<const char*, 1> names = {"jawOpen"};
  const std::array<float, 1> weights = {0.25f};
  request.expression.kind = BLENDWIRE_CUSTOM;
  request.expression.features = features.data();
  request.expression.feature_count = features.size();
  request.expression.parameter_names = names.data();
  request.expression.parameter_weights = weights.data();
  request.expression.parameter_count = 1;
  blendwire_prediction_options options;
  blendwire_prediction_options_init(&options, sizeof(options));
  options.apply_smoothing = 0;
  options.smoothing_iterations = 5;
  options.max_displacement = 0.5f;
  options.clamp_extreme_values = 0;
  options.timeout_seconds = 7;
  request.request.options = &options;
  request.request.model = "echo";
  blendwire_prediction_info info = Info();
  ASSERT_EQ(blendwire_predict(client.get(), &request.request, nullptr, &info), BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_STREQ(info.model_version,
               "type 2 name x features 2 parameters jawOpen=0.25, triangles 3 options 0 5 0.5 0 7");
}

TEST(PredictTest, StridesAreHonouredBothWays) {
  const ClientPointer client = Connect();
  // Position and colour in one array; offsets with a hole after each.
  const std::vector<float> interleaved = {1, 2, 3, 90, 91, 4, 5, 6, 92, 93, 7, 8, 9};
  std::vector<float> offsets(11, -1);
  Request request("aa", 3);
  request.mesh.vertices = interleaved.data();
  request.mesh.vertex_stride = 5 * sizeof(float);
  request.request.offsets = offsets.data();
  request.request.offset_stride = 4 * sizeof(float);
  ASSERT_EQ(blendwire_predict(client.get(), &request.request, nullptr, nullptr), BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_THAT(offsets, ElementsAre(0.5f, 1, 1.5f, -1, 2, 2.5f, 3, -1, 3.5f, 4, 4.5f));
}

TEST(PredictTest, WhatCannotBeRightIsNamed) {
  const ClientPointer client = Connect();
  const auto error = [&](auto change) {
    Request request;
    change(request);
    const std::vector<float> before = request.offsets;
    EXPECT_EQ(blendwire_predict(client.get(), &request.request, nullptr, nullptr),
              BLENDWIRE_INVALID_ARGUMENT);
    EXPECT_EQ(request.offsets, before);
    return std::string(blendwire_last_error());
  };
  EXPECT_EQ(error([](Request& r) { r.request.mesh = nullptr; }),
            "request.mesh is NULL, but must not be");
  EXPECT_EQ(error([](Request& r) { r.mesh.vertices = nullptr; }),
            "request.mesh.vertices is NULL, but must have 4 elements");
  EXPECT_EQ(error([](Request& r) { r.mesh.vertex_count = size_t{1} << 40; }),
            "request.mesh.vertex_count is 1099511627776, but must be 715827882 at the most");
  EXPECT_THAT(error([](Request& r) { r.mesh.vertex_stride = 8; }),
              HasSubstr("request.mesh.vertex_stride is 8, but must be 0 or a multiple of 4"));
  EXPECT_EQ(error([](Request& r) { r.request.offset_vertex_count = 3; }),
            "request.offset_vertex_count is 3, but the mesh has 4 vertices");
  EXPECT_EQ(error([](Request& r) { r.request.offsets = nullptr; }),
            "request.offsets is NULL, but must have 4 elements");
  EXPECT_THAT(error([](Request& r) { r.request.offset_stride = 13; }),
              HasSubstr("request.offset_stride is 13"));
  EXPECT_THAT(error([](Request& r) { r.expression.kind = 7; }),
              HasSubstr("request.expression.kind is 7"));
  EXPECT_THAT(error([](Request& r) { r.expression.parameter_count = 2; }),
              HasSubstr("request.expression.parameter_names is NULL"));
}

TEST(PredictTest, TheServersErrorIsHandedOn) {
  const ClientPointer client = Connect();
  Request request("bad");
  EXPECT_EQ(blendwire_predict(client.get(), &request.request, nullptr, nullptr),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "condition.name is \"bad\"");
}

TEST(PredictTest, ACallsOwnDeadlineIsKept) {
  const ClientPointer client = Connect();
  Request request("slow:20000");
  blendwire_call_options call;
  blendwire_call_options_init(&call, sizeof(call));
  call.timeout_ms = 100;
  EXPECT_EQ(blendwire_predict(client.get(), &request.request, &call, nullptr),
            BLENDWIRE_DEADLINE_EXCEEDED);
  call.timeout_ms = -1;
  EXPECT_EQ(blendwire_predict(client.get(), &request.request, &call, nullptr),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("call.timeout_ms is -1"));
  call.timeout_ms = 0;
  call.max_attempts = -2;
  EXPECT_EQ(blendwire_predict(client.get(), &request.request, &call, nullptr),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "max_attempts is -2, but must be at least 1");
}

TEST(BatchTest, EachItemHasItsOffsetsAndItsCode) {
  const ClientPointer client = Connect();
  Batch batch({"aa", "bad", "E"});
  std::vector<blendwire_prediction_info> infos(3, Info());
  ASSERT_EQ(blendwire_predict_batch(client.get(), &batch.request, nullptr, nullptr, nullptr,
                                    infos.data()),
            BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_EQ(batch.offsets[0], batch.Expected(0));
  EXPECT_EQ(batch.offsets[1], std::vector<float>(6, -1));
  EXPECT_EQ(batch.offsets[2], batch.Expected(2));
  EXPECT_EQ(infos[0].code, BLENDWIRE_OK);
  EXPECT_EQ(infos[1].code, BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(infos[2].code, BLENDWIRE_OK);
  EXPECT_STREQ(infos[2].model_version, "1.2");
}

TEST(BatchTest, AnItemMayHaveItsOwnMeshAndStride) {
  const ClientPointer client = Connect();
  Batch batch({"aa", "E"});
  Request own("", 3);
  std::vector<float> offsets(4 * 3, -1);
  batch.items[1].mesh = &own.mesh;
  batch.items[1].offsets = offsets.data();
  batch.items[1].offset_vertex_count = 3;
  batch.items[1].offset_stride = 16;
  ASSERT_EQ(
      blendwire_predict_batch(client.get(), &batch.request, nullptr, nullptr, nullptr, nullptr),
      BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_EQ(batch.offsets[0], batch.Expected(0));
  EXPECT_THAT(offsets, ElementsAre(0.5f, 1, 1.5f, -1, 2, 2.5f, 3, -1, 3.5f, 4, 4.5f, -1));
}

struct Progress {
  std::vector<size_t> indices;
  std::vector<size_t> completed;
  size_t total = 0;
  std::thread::id thread;
  size_t stop_after = 1000;

  static int32_t Call(void* user, size_t index, size_t completed, size_t total) {
    auto& self = *static_cast<Progress*>(user);
    self.indices.push_back(index);
    self.completed.push_back(completed);
    self.total = total;
    self.thread = std::this_thread::get_id();
    return completed >= self.stop_after ? 1 : 0;
  }
};

TEST(BatchTest, ProgressIsToldOnTheCallersThread) {
  const ClientPointer client = Connect();
  Batch batch({"aa", "E", "oh", "ou"});
  Progress progress;
  ASSERT_EQ(blendwire_predict_batch(client.get(), &batch.request, nullptr, &Progress::Call,
                                    &progress, nullptr),
            BLENDWIRE_OK);
  EXPECT_THAT(progress.indices, ElementsAre(3, 2, 1, 0)) << "the order of the fake server";
  EXPECT_THAT(progress.completed, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(progress.total, 4u);
  EXPECT_EQ(progress.thread, std::this_thread::get_id());
}

TEST(BatchTest, ProgressCanStopIt) {
  const ClientPointer client = Connect();
  Batch batch({"slow:20000", "aa", "aa"});
  Progress progress;
  progress.stop_after = 2;
  std::vector<blendwire_prediction_info> infos(3, Info());
  EXPECT_EQ(blendwire_predict_batch(client.get(), &batch.request, nullptr, &Progress::Call,
                                    &progress, infos.data()),
            BLENDWIRE_CANCELLED);
  EXPECT_EQ(infos[0].code, BLENDWIRE_CANCELLED);
  EXPECT_EQ(infos[1].code, BLENDWIRE_OK);
  EXPECT_EQ(batch.offsets[1], batch.Expected(1));
  EXPECT_EQ(batch.offsets[2], batch.Expected(2));
}

TEST(BatchTest, AnItemThatCannotBeRightIsNamed) {
  const ClientPointer client = Connect();
  Batch batch({"aa", "E"});
  batch.items[1].offset_vertex_count = 9;
  EXPECT_EQ(
      blendwire_predict_batch(client.get(), &batch.request, nullptr, nullptr, nullptr, nullptr),
      BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(),
               "items[1].offset_vertex_count is 9, but the mesh has 2 vertices");
}

}  // namespace
}  // namespace blendwire::capi_test

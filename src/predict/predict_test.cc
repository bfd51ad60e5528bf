// SPDX-License-Identifier: Apache-2.0

#include "predict/predict.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "mesh/testing/meshes.h"
#include "model/testing/model_files.h"
#include "predict/testing/predictions.h"

namespace blendwire::predict {
namespace {

using model::testing::LoadModel;
using ::testing::Each;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using testing::Condition;
using testing::Offsets;
using testing::Predictions;

// A condition for linear.onnx: offsets = vertices * scale + shift.
Condition Linear(float scale, std::array<float, 3> shift) {
  Condition condition(64, 0.0f);
  condition[2] = scale;
  std::copy(shift.begin(), shift.end(), condition.begin() + 4);
  return condition;
}

using Points = std::vector<std::array<double, 3>>;

// linear.onnx, smoothing and clamp again, in double precision over the vertices, for a mesh in
// which no two vertices share a position.
Points Expected(const mesh::testing::Mesh& mesh, const Condition& condition,
                const Options& options) {
  Points offsets(mesh.vertex_count());
  for (size_t v = 0; v < offsets.size(); ++v) {
    for (size_t axis = 0; axis < 3; ++axis) {
      offsets[v][axis] = double{mesh.at(v)[axis]} * condition[2] + condition[4 + axis];
    }
  }
  const std::vector<std::set<uint32_t>> neighbours = mesh::testing::SlowNeighbours(mesh);
  const int iterations = !options.apply_smoothing            ? 0
                         : options.smoothing_iterations == 0 ? 2
                                                             : options.smoothing_iterations;
  for (int i = 0; i < iterations; ++i) {
    const Points before = offsets;
    for (size_t v = 0; v < offsets.size(); ++v) {
      for (size_t axis = 0; axis < 3; ++axis) {
        double mean = 0.0;
        for (const uint32_t n : neighbours[v]) mean += before[n][axis];
        mean /= static_cast<double>(neighbours[v].size());
        offsets[v][axis] = before[v][axis] + 0.5 * (mean - before[v][axis]);
      }
    }
  }
  const double limit = options.max_displacement == 0.0f ? 0.08 : double{options.max_displacement};
  for (std::array<double, 3>& d : offsets) {
    const double length = std::hypot(d[0], d[1], d[2]);
    if (!options.clamp_extreme_values || length <= limit) continue;
    for (double& value : d) value *= limit / length;
  }
  return offsets;
}

Offsets Flat(const Points& points) {
  Offsets flat;
  for (const auto& point : points) {
    for (const double value : point) flat.push_back(static_cast<float>(value));
  }
  return flat;
}

class PredictTest : public ::testing::Test {
 protected:
  PredictTest() : grid_(mesh::testing::Grid(6, 5)) {
    // Bend it, so that no coordinate is constant.
    for (size_t v = 0; v < grid_.vertex_count(); ++v) {
      grid_.vertices[3 * v + 2] = std::sin(20.0f * grid_.vertices[3 * v]) * 0.1f;
    }
    mesh_ = PreparedMesh::Create(grid_.vertices, static_cast<int64_t>(grid_.vertex_count()),
                                 grid_.triangles, cache_)
                .value();
  }

  MeshCache cache_{1 << 20};
  mesh::testing::Mesh grid_;
  std::shared_ptr<const PreparedMesh> mesh_;
};

TEST_F(PredictTest, GivesWhatTheModelComputes) {
  Predictions predictions;
  predictions.Add(Linear(0.5f, {0.01f, -0.02f, 0.03f}));
  predictions.Run(*LoadModel("linear"), *mesh_);
  ASSERT_TRUE(predictions.outcomes[0].status.ok()) << predictions.outcomes[0].status;
  EXPECT_THAT(
      predictions.offsets[0],
      Pointwise(FloatNear(1e-6f), Flat(Expected(grid_, Linear(0.5f, {0.01f, -0.02f, 0.03f}), {}))));
  EXPECT_EQ(predictions.asked[0], 1);
  EXPECT_EQ(predictions.done[0], 1);
}

TEST_F(PredictTest, SmoothsThenClampsThenJudges) {
  const std::vector<Options> all = {
      {},
      {.apply_smoothing = true},
      {.apply_smoothing = true, .smoothing_iterations = 9},
      {.clamp_extreme_values = true},
      {.clamp_extreme_values = true, .max_displacement = 0.03f},
      {.apply_smoothing = true,
       .smoothing_iterations = 5,
       .clamp_extreme_values = true,
       .max_displacement = 0.05f},
  };
  Predictions predictions;
  std::vector<Condition> conditions;
  for (size_t i = 0; i < all.size(); ++i) {
    conditions.push_back(Linear(0.3f + 0.4f * static_cast<float>(i), {0.02f, -0.01f, 0.0f}));
    predictions.Add(conditions[i], all[i]);
  }
  predictions.Run(*LoadModel("linear"), *mesh_);
  for (size_t i = 0; i < all.size(); ++i) {
    SCOPED_TRACE(i);
    ASSERT_TRUE(predictions.outcomes[i].status.ok()) << predictions.outcomes[i].status;
    const Points expected = Expected(grid_, conditions[i], all[i]);
    EXPECT_THAT(predictions.offsets[i], Pointwise(FloatNear(1e-6f), Flat(expected)));

    double mean = 0.0;
    double largest = 0.0;
    size_t extreme = 0;
    for (const auto& d : expected) {
      const double length = std::hypot(d[0], d[1], d[2]);
      mean += length / static_cast<double>(expected.size());
      largest = std::max(largest, length);
      if (length > 0.08 + 1e-6) ++extreme;
    }
    const mesh::Quality& quality = predictions.outcomes[i].quality;
    EXPECT_NEAR(quality.mean_displacement, mean, 1e-6);
    EXPECT_NEAR(quality.max_displacement, largest, 1e-6);
    EXPECT_EQ(quality.extreme_vertices, extreme);
  }
}

TEST_F(PredictTest, AClampedOffsetIsNotExtreme) {
  Predictions predictions;
  predictions.Add(Linear(5.0f, {}), {.clamp_extreme_values = true});
  predictions.Add(Linear(5.0f, {}));
  predictions.Run(*LoadModel("linear"), *mesh_);
  EXPECT_EQ(predictions.outcomes[0].quality.extreme_vertices, 0u);
  EXPECT_LE(predictions.outcomes[0].quality.max_displacement, 0.08f);
  EXPECT_GT(predictions.outcomes[1].quality.extreme_vertices, 0u);
}

TEST_F(PredictTest, SeveralAtOnceAreTheSameAsOneByOne) {
  const auto model = LoadModel("linear");
  const Options options = {.apply_smoothing = true, .clamp_extreme_values = true};
  Predictions together;
  std::vector<Condition> conditions;
  for (int i = 0; i < 15; ++i) {
    conditions.push_back(Linear(0.1f * static_cast<float>(i), {0.01f, 0.0f, -0.01f}));
    together.Add(conditions.back(), options);
  }
  together.Run(*model, *mesh_);
  EXPECT_THAT(together.done, Each(1));
  EXPECT_THAT(together.asked, Each(1));
  EXPECT_TRUE(std::is_sorted(together.order.begin(), together.order.end()));
  for (size_t i = 0; i < conditions.size(); ++i) {
    Predictions alone;
    alone.Add(conditions[i], options);
    alone.Run(*model, *mesh_);
    EXPECT_THAT(together.offsets[i], Pointwise(FloatNear(1e-6f), alone.offsets[0])) << i;
  }
}

TEST_F(PredictTest, NoTasksAreNoWork) {
  EncodingCache encodings(0);
  Predict(*LoadModel("linear"), *mesh_, {}, encodings, {});
}

TEST_F(PredictTest, AMeshIsEncodedOnce) {
  const auto model = LoadModel("encode_once");  // vertices * 2 + slots, and + 1 if given back
  Predictions predictions;
  predictions.Add({0.1f, 0.2f, 0.3f});
  for (const float given : {0.0f, 1.0f, 1.0f}) {
    predictions.Run(*model, *mesh_);
    ASSERT_TRUE(predictions.outcomes[0].status.ok()) << predictions.outcomes[0].status;
    for (size_t i = 0; i < predictions.offsets[0].size(); ++i) {
      const float slot = 0.1f * static_cast<float>(1 + i % 3);
      EXPECT_NEAR(predictions.offsets[0][i], grid_.vertices[i] * 2 + given + slot, 1e-6f);
    }
  }
}

TEST_F(PredictTest, WhatIsTooLargeToKeepIsEncodedEachTime) {
  const auto model = LoadModel("encode_once");
  EncodingCache small(10);
  const Condition condition = {0.0f, 0.0f, 0.0f};
  for (int turn = 0; turn < 2; ++turn) {
    Offsets offsets(grid_.vertices.size());
    absl::Status status = absl::UnknownError("not done");
    const std::vector<Task> tasks(1, {condition,
                                      {},
                                      [&] { return absl::MakeSpan(offsets); },
                                      [&](const Outcome& outcome) { status = outcome.status; }});
    Predict(*model, *mesh_, tasks, small, {});
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_NEAR(offsets[5], grid_.vertices[5] * 2, 1e-6f);
  }
}

TEST_F(PredictTest, TheModelGetsTheMeshesNormals) {
  Predictions predictions;
  predictions.Add(Linear(0.01f, {}));
  predictions.Run(*LoadModel("normals"), *mesh_);
  ASSERT_TRUE(predictions.outcomes[0].status.ok()) << predictions.outcomes[0].status;
  for (size_t i = 0; i < predictions.offsets[0].size(); ++i) {
    EXPECT_NEAR(predictions.offsets[0][i], 0.01f * mesh_->normals()[i], 1e-7f);
  }
  EXPECT_NEAR(predictions.outcomes[0].quality.mean_displacement, 0.01f, 1e-6f);
}

TEST_F(PredictTest, OffsetsThatAreNotFiniteFailTheirOwnTaskOnly) {
  const auto model = LoadModel("not_finite");  // vertices * log(condition[4])
  for (const bool together : {false, true}) {
    Predictions predictions;
    predictions.Add(Linear(0.0f, {0.0f, 0.0f, 0.0f}));
    if (together) predictions.Add(Linear(0.0f, {0.9f, 0.0f, 0.0f}));
    predictions.Run(*model, *mesh_);
    EXPECT_EQ(predictions.outcomes[0].status.code(), absl::StatusCode::kInternal);
    EXPECT_THAT(std::string(predictions.outcomes[0].status.message()), HasSubstr("NaN"));
    if (!together) continue;
    ASSERT_TRUE(predictions.outcomes[1].status.ok()) << predictions.outcomes[1].status;
    for (size_t i = 0; i < predictions.offsets[1].size(); ++i) {
      EXPECT_NEAR(predictions.offsets[1][i], grid_.vertices[i] * std::log(0.9f), 1e-6f);
    }
  }
}

TEST_F(PredictTest, AMeshTheModelDoesNotTakeFailsAll) {
  Predictions predictions;
  predictions.Add(Linear(1.0f, {}));
  predictions.Run(*LoadModel("fixed_count"), *mesh_);
  EXPECT_EQ(predictions.outcomes[0].status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(predictions.done[0], 1);
}

TEST_F(PredictTest, StoppedBeforehandNothingRuns) {
  std::stop_source stop;
  stop.request_stop();
  Predictions predictions;
  for (int i = 0; i < 3; ++i) predictions.Add(Linear(1.0f, {}));
  predictions.Run(*LoadModel("linear"), *mesh_, stop.get_token());
  for (const Outcome& outcome : predictions.outcomes) {
    EXPECT_EQ(outcome.status.code(), absl::StatusCode::kCancelled);
  }
  EXPECT_THAT(predictions.done, Each(1));
  EXPECT_THAT(predictions.asked, Each(0)) << "no memory for what is never computed";
}

// Those that are finished beside the one that stops have their result already.
TEST_F(PredictTest, StoppedBetweenTasksTheRestIsCancelled) {
  constexpr size_t kMany = 100;
  std::stop_source stop;
  Predictions predictions;
  for (size_t i = 0; i < kMany; ++i) predictions.Add(Linear(1.0f, {}));
  predictions.when_done = [&stop](size_t i) {
    if (i == 1) stop.request_stop();
  };
  predictions.Run(*LoadModel("linear"), *mesh_, stop.get_token());
  size_t finished = 0;
  while (finished < kMany && predictions.outcomes[finished].status.ok()) ++finished;
  EXPECT_GE(finished, 2);
  EXPECT_LT(finished, kMany / 2);
  for (size_t i = finished; i < kMany; ++i) {
    EXPECT_EQ(predictions.outcomes[i].status.code(), absl::StatusCode::kCancelled) << i;
  }
  EXPECT_THAT(predictions.done, Each(1));
}

TEST_F(PredictTest, ARunningModelIsStopped) {
  const auto model = LoadModel("slow");
  std::stop_source stop;
  std::thread stopper([&stop] {
    absl::SleepFor(absl::Milliseconds(50));
    stop.request_stop();
  });
  Predictions predictions;
  predictions.Add(Linear(1.0f, {}));
  predictions.Add(Linear(2.0f, {}));
  predictions.Run(*model, *mesh_, stop.get_token());
  stopper.join();
  EXPECT_EQ(predictions.outcomes[0].status.code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(predictions.outcomes[1].status.code(), absl::StatusCode::kCancelled);
  // Both share the time of their run.
  EXPECT_GT(predictions.outcomes[0].timings.inference, absl::ZeroDuration());
  EXPECT_EQ(predictions.outcomes[0].timings.inference, predictions.outcomes[1].timings.inference);
}

TEST_F(PredictTest, AFailedAllocationFailsTheTaskNotTheProcess) {
  const auto run = [this](const std::function<absl::Span<float>()>& output) {
    const Condition condition = Linear(1.0f, {});
    std::vector<Outcome> outcomes;
    const std::vector<Task> tasks(
        1, {condition, {}, output, [&](const Outcome& outcome) { outcomes.push_back(outcome); }});
    EncodingCache encodings(0);
    Predict(*LoadModel("linear"), *mesh_, tasks, encodings, {});
    EXPECT_EQ(outcomes.size(), 1u);
    return outcomes.front().status;
  };
  EXPECT_EQ(run([]() -> absl::Span<float> { throw std::bad_alloc(); }).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(PredictTest, EveryStageIsTimed) {
  Predictions predictions;
  predictions.Add(Linear(1.0f, {}), {.apply_smoothing = true, .smoothing_iterations = 100});
  const absl::Time start = absl::Now();
  predictions.Run(*LoadModel("linear"), *mesh_);
  const absl::Duration all = absl::Now() - start;
  const Timings& timings = predictions.outcomes[0].timings;
  EXPECT_GT(timings.preprocessing, absl::ZeroDuration());
  EXPECT_GT(timings.inference, absl::ZeroDuration());
  EXPECT_GT(timings.postprocessing, absl::ZeroDuration());
  EXPECT_LE(timings.preprocessing + timings.inference + timings.postprocessing, all);
}

}  // namespace
}  // namespace blendwire::predict

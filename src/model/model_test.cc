// SPDX-License-Identifier: Apache-2.0

#include "model/model.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <random>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/file_digest.h"
#include "model/testing/model_files.h"

namespace blendwire::model {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::LoadModel;
using testing::ModelFile;
using ::testing::Pointwise;
using ::testing::StartsWith;

const LoadOptions kPlain = {.device = Device::kCpu, .threads = 1, .warm_up = true, .sha256 = {}};

std::string Content(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<float> Random(uint32_t seed, size_t count) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  std::vector<float> values(count);
  for (float& value : values) value = uniform(generator);
  return values;
}

// What linear.onnx computes.
std::vector<float> Linear(const std::vector<float>& mesh, const std::vector<float>& conditions,
                          size_t size) {
  std::vector<float> offsets;
  for (size_t row = 0; row < conditions.size(); row += size) {
    for (size_t i = 0; i < mesh.size(); ++i) {
      offsets.push_back(mesh[i] * conditions[row + 2] + conditions[row + 4 + i % 3]);
    }
  }
  return offsets;
}

std::string WhyNotLoaded(const std::filesystem::path& file) {
  const auto model = Model::Load(file, kPlain);
  EXPECT_EQ(model.status().code(), absl::StatusCode::kInvalidArgument) << model.status();
  return std::string(model.status().message());
}

TEST(ModelLoadTest, KnowsWhatTheFileSays) {
  const auto model = Model::Load(ModelFile("linear"), kPlain);
  ASSERT_TRUE(model.ok()) << model.status();
  const ModelFacts& facts = (*model)->facts();
  EXPECT_EQ(facts.version, "1.2.3");
  EXPECT_EQ(facts.title, "Linear");
  EXPECT_EQ(facts.sha256, Sha256Hex(Content(ModelFile("linear"))));
  EXPECT_EQ(facts.provider.provider, "CPUExecutionProvider");
  EXPECT_EQ(facts.threads, 1);
  EXPECT_EQ(facts.condition_size, 64);
  EXPECT_THAT(facts.condition_slots, IsEmpty());
  EXPECT_FALSE(facts.takes_normals);
  EXPECT_EQ(facts.max_batch, 0);
  EXPECT_EQ(facts.fixed_vertex_count, 0);
}

TEST(ModelLoadTest, WithoutMetadataItRunsOneByOne) {
  const auto model = Model::Load(ModelFile("bare"), kPlain);
  ASSERT_TRUE(model.ok()) << model.status();
  const ModelFacts& facts = (*model)->facts();
  EXPECT_EQ(facts.version, "sha256:" + facts.sha256.substr(0, 12));
  EXPECT_EQ(facts.title, "");
  EXPECT_EQ(facts.max_batch, 1);
  EXPECT_EQ(facts.condition_size, 64);
}

TEST(ModelLoadTest, AFixedBatchWinsOverTheMetadata) {
  const auto model = Model::Load(ModelFile("fixed_count"), kPlain);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->facts().max_batch, 1);
  EXPECT_EQ((*model)->facts().fixed_vertex_count, 5);
}

TEST(ModelLoadTest, KnowsItsOwnSlots) {
  const auto model = Model::Load(ModelFile("slots"), kPlain);
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->facts().condition_size, 3);
  EXPECT_EQ((*model)->facts().max_batch, 2);
  EXPECT_THAT((*model)->facts().condition_slots, ElementsAre("jawOpen", "viseme_aa", "puppyEyes"));
}

TEST(ModelLoadTest, NoThreadsMeansAllProcessors) {
  const auto model =
      Model::Load(ModelFile("linear"), {.device = Device::kCpu, .threads = 0, .warm_up = false});
  ASSERT_TRUE(model.ok()) << model.status();
  EXPECT_EQ((*model)->facts().threads, static_cast<int>(std::thread::hardware_concurrency()));
}

TEST(ModelLoadTest, AMissingFileIsNotFound) {
  for (const std::filesystem::path& file : {ModelFile("nothing"), ModelFile("x").parent_path()}) {
    EXPECT_EQ(Model::Load(file, kPlain).status().code(), absl::StatusCode::kNotFound);
  }
}

TEST(ModelLoadTest, AnUnfitFileIsRefusedWithTheReason) {
  EXPECT_THAT(WhyNotLoaded(ModelFile("wrong_input")),
              AllOf(HasSubstr("no input \"vertices\""), HasSubstr("\"points\" [1,?,3]")));
  EXPECT_THAT(WhyNotLoaded(ModelFile("wrong_type")),
              AllOf(HasSubstr("\"condition\""), HasSubstr("32-bit floats")));
  EXPECT_THAT(WhyNotLoaded(ModelFile("wrong_slots")),
              AllOf(HasSubstr("64 floats"), HasSubstr("2 condition slots")));
}

TEST(ModelLoadTest, ABrokenFileIsRefusedWithTheReason) {
  const testing::TestFolder folder;
  const std::string whole = Content(ModelFile("linear"));
  EXPECT_THAT(WhyNotLoaded(folder.Write("empty.onnx", "")), HasSubstr("0 bytes"));
  EXPECT_THAT(WhyNotLoaded(folder.Write("text.onnx", "this is no model")),
              HasSubstr("ONNX Runtime cannot load"));
  EXPECT_THAT(WhyNotLoaded(folder.Write("half.onnx", whole.substr(0, whole.size() / 2))),
              HasSubstr("ONNX Runtime cannot load"));
}

TEST(ModelLoadTest, TheDigestMustMatchIfOneIsGiven) {
  LoadOptions options = kPlain;
  options.sha256 = absl::AsciiStrToUpper(Sha256Hex(Content(ModelFile("linear"))));
  EXPECT_TRUE(Model::Load(ModelFile("linear"), options).ok()) << "case does not matter";
  const absl::Status status = Model::Load(ModelFile("bare"), options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("SHA-256"), HasSubstr(options.sha256)));
}

TEST(ModelRunTest, ComputesEveryRowOfABatch) {
  const auto model = LoadModel("linear");
  const std::vector<float> vertices = Random(1, size_t{3} * 1000);
  for (const size_t batch : {1u, 2u, 7u}) {
    const std::vector<float> conditions = Random(2, batch * 64);
    std::vector<float> offsets(batch * vertices.size());
    ASSERT_TRUE(model
                    ->Run({.vertices = vertices,
                           .normals = {},
                           .conditions = conditions,
                           .batch = static_cast<int64_t>(batch),
                           .offsets = absl::MakeSpan(offsets)})
                    .ok());
    EXPECT_THAT(offsets, Pointwise(FloatNear(1e-6f), Linear(vertices, conditions, 64)));
  }
}

TEST(ModelRunTest, GivesNormalsToAModelThatTakesThem) {
  const auto model = LoadModel("normals");
  ASSERT_TRUE(model->facts().takes_normals);
  const std::vector<float> vertices = Random(1, 30);
  const std::vector<float> normals = Random(2, 30);
  std::vector<float> condition(64, 0.0f);
  condition[2] = 0.5f;
  std::vector<float> offsets(30);
  ASSERT_TRUE(model->Run({vertices, normals, condition, 1, absl::MakeSpan(offsets)}).ok());
  for (size_t i = 0; i < offsets.size(); ++i) EXPECT_FLOAT_EQ(offsets[i], 0.5f * normals[i]);
}

TEST(ModelRunTest, AFixedVertexCountIsToldBeforeTheRun) {
  const auto model = LoadModel("fixed_count");
  const std::vector<float> vertices(12, 1.0f);
  const std::vector<float> condition(64, 0.0f);
  std::vector<float> offsets(12);
  const absl::Status status = model->Run({vertices, {}, condition, 1, absl::MakeSpan(offsets)});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(StartsWith("vertex_count is 4"), HasSubstr("exactly 5")));
}

TEST(ModelRunTest, NumbersThatAreNotFiniteAreTheCallersToFind) {
  const auto model = LoadModel("not_finite");
  const std::vector<float> vertices = {1.0f, 0.0f, -1.0f};
  const std::vector<float> condition(64, 0.0f);
  std::vector<float> offsets(3);
  ASSERT_TRUE(model->Run({vertices, {}, condition, 1, absl::MakeSpan(offsets)}).ok());
  EXPECT_TRUE(std::isinf(offsets[0]));
  EXPECT_TRUE(std::isnan(offsets[1]));
}

TEST(ModelRunTest, ARequestToStopBeforeTheRunPreventsIt) {
  const auto model = LoadModel("linear");
  std::stop_source stop;
  stop.request_stop();
  const std::vector<float> vertices(3, 1.0f);
  const std::vector<float> condition(64, 1.0f);
  std::vector<float> offsets(3, -5.0f);
  EXPECT_EQ(
      model->Run({vertices, {}, condition, 1, absl::MakeSpan(offsets)}, stop.get_token()).code(),
      absl::StatusCode::kCancelled);
  EXPECT_THAT(offsets, ElementsAre(-5.0f, -5.0f, -5.0f));
}

TEST(ModelRunTest, ARunningModelIsStopped) {
  const auto model = LoadModel("slow");
  std::stop_source stop;
  const absl::Time start = absl::Now();
  std::thread stopper([&stop] {
    absl::SleepFor(absl::Milliseconds(100));
    stop.request_stop();
  });
  const std::vector<float> vertices(3, 1.0f);
  const std::vector<float> condition(64, 1.0f);
  std::vector<float> offsets(3);
  const absl::Status status =
      model->Run({vertices, {}, condition, 1, absl::MakeSpan(offsets)}, stop.get_token());
  stopper.join();
  EXPECT_EQ(status.code(), absl::StatusCode::kCancelled) << status;
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(100));
  EXPECT_LT(absl::Now() - start, absl::Seconds(20));
}

TEST(ModelRunTest, OneModelServesSeveralThreads) {
  const auto model = LoadModel("linear");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (uint32_t t = 0; t < 4; ++t) {
    threads.emplace_back([&model, &wrong, t] {
      const std::vector<float> vertices = Random(t, size_t{3} * (100 + t));
      for (uint32_t turn = 0; turn < 20; ++turn) {
        const std::vector<float> conditions = Random(100 * t + turn, 2 * 64);
        std::vector<float> offsets(2 * vertices.size());
        if (!model->Run({vertices, {}, conditions, 2, absl::MakeSpan(offsets)}).ok()) ++wrong[t];
        const std::vector<float> expected = Linear(vertices, conditions, 64);
        for (size_t i = 0; i < offsets.size(); ++i) {
          if (std::abs(offsets[i] - expected[i]) > 1e-6f) ++wrong[t];
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

}  // namespace
}  // namespace blendwire::model

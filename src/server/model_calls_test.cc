// SPDX-License-Identifier: Apache-2.0

#include "server/model_calls.h"

#include <map>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/testing/model_files.h"

namespace blendwire::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

absl::StatusOr<model::LoadOptions> Parse(const std::map<std::string, std::string>& options,
                                         const ModelDefaults& defaults = {}) {
  pb::LoadModelRequest request;
  for (const auto& [key, value] : options) (*request.mutable_options())[key] = value;
  return ParseLoadOptions(request.options(), defaults);
}

TEST(ParseLoadOptionsTest, TheServersDefaultsHoldUnlessTold) {
  const auto options = Parse({}, {.device = model::Device::kCpu, .threads = 3});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->device, model::Device::kCpu);
  EXPECT_EQ(options->threads, 3);
  EXPECT_TRUE(options->warm_up);
  EXPECT_EQ(options->sha256, "");
}

TEST(ParseLoadOptionsTest, TakesEveryOption) {
  const std::string digest(64, 'a');
  const auto options =
      Parse({{"device", "cuda"}, {"threads", "8"}, {"warmup", "false"}, {"sha256", digest}});
  ASSERT_TRUE(options.ok()) << options.status();
  EXPECT_EQ(options->device, model::Device::kCuda);
  EXPECT_EQ(options->threads, 8);
  EXPECT_FALSE(options->warm_up);
  EXPECT_EQ(options->sha256, digest);
}

TEST(ParseLoadOptionsTest, AWrongOneIsNamed) {
  for (const auto& [key, value] : std::map<std::string, std::string>{{"device", "gpu"},
                                                                     {"threads", "0"},
                                                                     {"warmup", "maybe"},
                                                                     {"sha256", "abc"},
                                                                     {"color", "red"}}) {
    const absl::Status status = Parse({{key, value}}).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("options[\"" + key + "\"]"), HasSubstr("\"" + value + "\"")));
  }
  EXPECT_FALSE(Parse({{"threads", "1025"}}).ok());
  EXPECT_FALSE(Parse({{"threads", "-1"}}).ok());
  EXPECT_FALSE(Parse({{"threads", "four"}}).ok());
  EXPECT_FALSE(Parse({{"sha256", std::string(64, 'g')}}).ok());
}

class ModelCallsTest : public ::testing::Test {
 protected:
  static inline const model::LoadOptions kCpu = {.device = model::Device::kCpu, .threads = 1};

  Core core_{Limits{}, WorkQueue::Limits{.workers = 1, .max_waiting = 4}, size_t{1} << 30,
             ModelDefaults{.device = model::Device::kCpu, .threads = 1},
             model::PathPolicy::Create({model::testing::ModelFile("linear").parent_path()}).value()};
};

TEST_F(ModelCallsTest, AFailedLoadChangesNothing) {
  ASSERT_TRUE(LoadTrusted(core_, model::testing::ModelFile("linear"), "", kCpu).ok());
  const model::ModelRef before = core_.models.Get("").value();
  for (const char* name : {"wrong_input", "wrong_type", "wrong_slots", "nothing"}) {
    EXPECT_FALSE(LoadTrusted(core_, model::testing::ModelFile(name), "", kCpu).ok()) << name;
    EXPECT_EQ(core_.models.Get("").value(), before);
  }
}

TEST_F(ModelCallsTest, ListsWhatIsLoaded) {
  EXPECT_EQ(LoadTrusted(core_, model::testing::ModelFile("linear"), "", kCpu).value(), "1.2.3");
  ASSERT_TRUE(LoadTrusted(core_, model::testing::ModelFile("slots"), "own", kCpu).ok());
  pb::ListModelsResponse list;
  ListModels(core_, list);
  ASSERT_EQ(list.models_size(), 2);
  EXPECT_EQ(list.models(0).name(), "default");
  EXPECT_EQ(list.models(0).version(), "1.2.3");
  EXPECT_EQ(list.models(0).title(), "Linear");
  EXPECT_EQ(list.models(0).condition_size(), 64);
  EXPECT_EQ(list.models(0).max_batch(), 0);
  EXPECT_EQ(list.models(0).execution_provider(), "CPUExecutionProvider");
  EXPECT_EQ(list.models(0).sha256().size(), 64u);
  EXPECT_THAT(list.models(0).expressions(), Contains("Joy"));
  EXPECT_EQ(list.models(1).name(), "own");
  EXPECT_EQ(list.models(1).max_batch(), 2);
  EXPECT_THAT(list.models(1).condition_slots(),
              ElementsAre("jawOpen", "viseme_aa", "puppyEyes"));
  EXPECT_THAT(list.models(1).expressions(), Contains("puppyEyes"));
}

TEST_F(ModelCallsTest, UnloadingAnswersTheSameAsTheRepository) {
  pb::UnloadModelRequest request;
  pb::UnloadModelResponse response;
  EXPECT_EQ(UnloadModel(core_, request, response).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(LoadTrusted(core_, model::testing::ModelFile("linear"), "", kCpu).ok());
  EXPECT_TRUE(UnloadModel(core_, request, response).ok());
  EXPECT_TRUE(response.success());
  EXPECT_TRUE(core_.models.empty());
}

// What is wrong with a request is told before any work is done.
TEST_F(ModelCallsTest, ALoadRequestIsCheckedFirst) {
  const auto load = [this](const std::string& path, const std::string& name,
                           const std::string& key = "") {
    pb::LoadModelRequest request;
    request.set_model_path(path);
    request.set_model_name(name);
    if (!key.empty()) (*request.mutable_options())[key] = "x";
    pb::LoadModelResponse response;
    const absl::Status status = LoadModel(core_, request, response);
    EXPECT_FALSE(response.success());
    return status.code();
  };
  EXPECT_EQ(load("linear.onnx", "a b"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(load("linear.onnx", "", "color"), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(load("", ""), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(load("../model.h", ""), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(load("nothing.onnx", ""), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace blendwire::server

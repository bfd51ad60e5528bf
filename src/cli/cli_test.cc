// SPDX-License-Identifier: Apache-2.0
//
// The whole command against a real gRPC server in this process, whose offsets are
// coordinate * intensity.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "avatar/avatar.h"
#include "cli/testing/command_test.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace blendwire::cli {
namespace {

using ::testing::ElementsAre;
using testing::Ended;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

class CliTest : public testing::CommandTest {};

TEST_F(CliTest, HelpAndVersionNeedNoServer) {
  const Ended help = Run({"--help"});
  EXPECT_EQ(help.code, ExitCode::kOk);
  for (const char* command :
       {"generate", "predict", "batch", "expressions", "health", "stats", "watch", "models", "load",
        "unload", "Exit codes: 0 done", "Examples:"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
  }
  EXPECT_THAT(Run({"--version"}).out, StartsWith("blendwire 0."));
  const Ended generate = Run({"generate", "--help"});
  EXPECT_EQ(generate.code, ExitCode::kOk);
  EXPECT_THAT(generate.out, HasSubstr("--min-displacement"));
}

TEST_F(CliTest, WrongArgumentsAreOneLineAndCode2) {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"fly"},
      {"generate"},
      {"generate", "a.glb"},
      {"generate", "a.glb", "-o", "b.glb", "--set", "animals"},
      {"generate", "a.glb", "-o", "b.glb", "--names", "klingon"},
      {"generate", "a.glb", "-o", "b.glb", "--intensity", "2"},
      {"generate", "a.glb", "-o", "b.glb", "--smooth", "-1"},
      {"generate", "a.glb", "-o", "b.glb", "--only", "jawwOpen"},
      {"generate", "a.glb", "-o", "b.glb", "--set", "visemes", "--only", "Joy"},
      {"generate", "a.glb", "-o", "b.glb", "--token-file", "t"},
      {"generate", "a.glb", "-o", "b.glb", "--server", "x:1", "--model-file", "m.onnx"},
      {"predict", "a.glb"},
      {"predict", "a.glb", "-e", "aa", "-o", "out.txt"},
      {"predict", "a.glb", "-e", "aa", "--param", "jawOpen=0.4"},
      {"predict", "a.glb", "--type", "custom", "--param", "jawOpen=4"},
      {"predict", "a.glb", "--type", "custom", "--param", "jawOpen"},
      {"load", "m.onnx", "--option", "threads"},
      {"unload"},
  };
  for (const auto& arguments : cases) {
    const Ended ended = Run(arguments);
    EXPECT_EQ(ended.code, ExitCode::kUsage) << ::testing::PrintToString(arguments) << ended.err;
    EXPECT_THAT(ended.err, StartsWith("blendwire: "));
    EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
    EXPECT_THAT(ended.out, IsEmpty());
  }
  EXPECT_THAT(Run({"fly"}).err, HasSubstr("there is no command \"fly\""));
  EXPECT_THAT(Run({"generate", "a", "-o", "b", "--only", "jawwOpen"}).err,
              HasSubstr("did you mean \"jawOpen\"?"));
}

TEST_F(CliTest, GenerateAsksOnceForAllAndWritesTheAnswers) {
  const Ended ended = Run({"generate", File("face.obj"), "-o", File("face.glb"), "--server",
                           server_.address(), "--only", "aa,Joy", "--intensity", "0.5", "--smooth",
                           "0", "--max-displacement", "0.02", "--model", "other"});
  ASSERT_EQ(ended.code, ExitCode::kOk) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("2/2 "));
  EXPECT_THAT(ended.out, HasSubstr("vrc.v_aa"));
  EXPECT_THAT(ended.out, HasSubstr("mesh face: 2 added"));

  const auto batch = service_.LastBatch();
  EXPECT_EQ(batch.vertices_size(), 12);
  EXPECT_EQ(batch.topology().triangles_size(), 6);
  ASSERT_EQ(batch.requests_size(), 2);
  const auto& item = batch.requests(0);
  EXPECT_EQ(item.vertices_size(), 0);  // the mesh travels once
  EXPECT_EQ(item.condition().name(), "aa");
  EXPECT_EQ(item.condition().intensity(), 0.5f);
  EXPECT_EQ(item.model_name(), "other");
  EXPECT_FALSE(item.options().apply_smoothing());
  EXPECT_EQ(item.options().max_displacement(), 0.02f);
  EXPECT_EQ(batch.requests(1).condition().name(), "Joy");

  const auto written = avatar::Avatar::Read(File("face.glb"), {});
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_THAT(written->meshes()[0].morph_targets, ElementsAre("vrc.v_aa", "Joy"));
}

TEST_F(CliTest, TheDefaultIsVisemesAndEmotions) {
  const Ended ended = Run({"generate", File("face.obj"), "-o", File("face.glb"), "--server",
                           server_.address(), "--json", "--quiet"});
  ASSERT_EQ(ended.code, ExitCode::kOk) << ended.err;
  EXPECT_THAT(ended.err, IsEmpty());
  const auto json = nlohmann::json::parse(ended.out);
  EXPECT_THAT(json["expressions"], SizeIs(22));
  EXPECT_EQ(json["expressions"][0]["target"], "vrc.v_sil");
  EXPECT_EQ(json["vertices"], 4);
  EXPECT_EQ(json["file_bytes"], std::filesystem::file_size(File("face.glb")));
  EXPECT_THAT(json["meshes"][0]["added"], SizeIs(22));
}

TEST_F(CliTest, NamesFollowTheConvention) {
  const auto names = [&](const std::string& convention) {
    const Ended ended = Run({"generate", File("face.obj"), "-o", File("face.glb"), "--server",
                             server_.address(), "--only", "aa,Fun,jawOpen", "--names", convention});
    EXPECT_EQ(ended.code, ExitCode::kOk) << ended.err;
    const auto written = avatar::Avatar::Read(File("face.glb"), {});
    return written.ok() ? written->meshes()[0].morph_targets : std::vector<std::string>();
  };
  EXPECT_THAT(names("vrchat"), ElementsAre("vrc.v_aa", "Fun", "jawOpen"));
  EXPECT_THAT(names("oculus"), ElementsAre("viseme_aa", "Fun", "jawOpen"));
  EXPECT_THAT(names("vrm"), ElementsAre("aa", "relaxed", "jawOpen"));
  EXPECT_THAT(names("vrm0"), ElementsAre("A", "Fun", "jawOpen"));
}

TEST_F(CliTest, AFailedExpressionIsNamedAndTheOthersAreWritten) {
  service_.spoil_update = [](blendwire::testing::contract::BatchPredictionUpdate& update) {
    if (update.index() != 1) return;
    update.mutable_response()->set_success(false);
    update.mutable_response()->set_error_message("no such luck");
    update.mutable_response()->set_status_code(grpc::INTERNAL);
  };
  const Ended ended = Run({"generate", File("face.obj"), "-o", File("face.glb"), "--server",
                           server_.address(), "--only", "aa,oh,ou"});
  EXPECT_EQ(ended.code, ExitCode::kFailed);
  EXPECT_THAT(ended.err, HasSubstr("blendwire: oh: no such luck"));
  const auto written = avatar::Avatar::Read(File("face.glb"), {});
  ASSERT_TRUE(written.ok()) << written.status();
  EXPECT_THAT(written->meshes()[0].morph_targets, ElementsAre("vrc.v_aa", "vrc.v_ou"));
}

TEST_F(CliTest, CtrlCEndsTheRunWithoutAFile) {
  service_.before_item = [this](grpc::ServerContext&, int index) {
    if (index == 1) cancellation_.Cancel();
    return grpc::Status::OK;
  };
  const Ended ended =
      Run({"generate", File("face.obj"), "-o", File("face.glb"), "--server", server_.address()});
  EXPECT_EQ(ended.code, ExitCode::kInterrupted);
  EXPECT_THAT(ended.err, HasSubstr("blendwire: interrupted\n"));
  EXPECT_FALSE(std::filesystem::exists(File("face.glb")));
}

TEST_F(CliTest, OnATerminalTheBarRewritesItsLine) {
  const Ended ended = Run({"generate", File("face.obj"), "-o", File("face.glb"), "--server",
                           server_.address(), "--only", "aa"},
                          /*terminal=*/true);
  EXPECT_THAT(ended.err, HasSubstr("\r\x1b[K[##############################] 1/1 vrc.v_aa"));
  EXPECT_THAT(ended.err, Not(HasSubstr("\n")));
}

TEST_F(CliTest, WithoutAServerTheCodeIs3AndTheAdviceToStartOne) {
  const std::string address = server_.address();
  server_.Stop();
  const Ended ended = Run({"health", "--server", address, "--timeout", "30"});
  EXPECT_EQ(ended.code, ExitCode::kNoServer) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("; start blendwire-server, or name a running one"));
}

TEST_F(CliTest, AnOutputThatCannotBeWrittenIsSaidBeforeAnythingIsAsked) {
  const Ended ended =
      Run({"generate", File("face.obj"), "-o", File("face.vrm"), "--server", server_.address()});
  EXPECT_EQ(ended.code, ExitCode::kUsage);
  EXPECT_THAT(ended.err, HasSubstr("no VRM avatar"));
  EXPECT_THAT(service_.Seen(), IsEmpty());
}

TEST_F(CliTest, ABrokenFileIsNoServersFault) {
  std::ofstream(folder_ / "broken.glb") << "glTF";
  const Ended broken = Run({"generate", File("broken.glb"), "-o", File("out.glb")});
  EXPECT_EQ(broken.code, ExitCode::kFailed);
  EXPECT_THAT(broken.err, HasSubstr("header"));
  EXPECT_EQ(Run({"predict", File("none.glb"), "-e", "aa"}).code, ExitCode::kFailed);
}

TEST_F(CliTest, PredictGivesOffsetsAsJsonAndAsNumpyArray) {
  const std::vector<std::string> ask = {"predict", File("face.obj"), "--server", server_.address(),
                                        "--type",  "custom",         "--param",  "jawOpen=0.4",
                                        "--param", "mouthPucker=1",  "-e",       "mine"};
  const Ended json_run = Run(ask);
  ASSERT_EQ(json_run.code, ExitCode::kOk) << json_run.err;
  const auto json = nlohmann::json::parse(json_run.out);
  ASSERT_THAT(json["offsets"], SizeIs(4));
  // In the file's order and contract axes: the second vertex is (0.01, 0, 0.01) in the file.
  EXPECT_EQ(json["offsets"][1], nlohmann::json::array({0.01, -0.01, 0.0}));
  const auto condition = service_.LastPredict().condition();
  EXPECT_EQ(condition.type(), blendwire::testing::contract::ExpressionCondition::CUSTOM);
  EXPECT_EQ(condition.name(), "mine");
  EXPECT_EQ(condition.parameters().at("jawOpen"), 0.4f);
  EXPECT_EQ(condition.parameters().at("mouthPucker"), 1.0f);

  std::vector<std::string> as_npy = ask;
  as_npy.insert(as_npy.end(), {"-o", File("out.npy"), "--vertices", File("vertices.npy")});
  ASSERT_EQ(Run(as_npy).code, ExitCode::kOk);
  const std::string npy = Bytes(File("out.npy"));
  ASSERT_THAT(npy, StartsWith("\x93NUMPY\x01"));
  EXPECT_EQ((npy.size() - 48) % 64, 0u);
  EXPECT_THAT(npy, HasSubstr("'descr': '<f4', 'fortran_order': False, 'shape': (4, 3)"));
  float second[3];
  std::memcpy(second, npy.data() + npy.size() - 36, sizeof(second));
  EXPECT_THAT(second, ElementsAre(0.01f, -0.01f, 0.0f));
  EXPECT_EQ(Bytes(File("vertices.npy")).size(), npy.size());
}

TEST_F(CliTest, ExpressionsNeedNoServer) {
  server_.Stop();
  const Ended all = Run({"expressions", "--json"});
  ASSERT_EQ(all.code, ExitCode::kOk);
  const auto json = nlohmann::json::parse(all.out);
  EXPECT_THAT(json, SizeIs(15 + 7 + 52));
  EXPECT_EQ(json[10]["name"], "aa");
  EXPECT_EQ(json[10]["kind"], "viseme");
  EXPECT_EQ(json[10]["names"]["vrchat"], "vrc.v_aa");
  EXPECT_FALSE(json[10]["recipe"].empty());
  const Ended emotions = Run({"expressions", "--set", "emotions"});
  EXPECT_THAT(emotions.out, HasSubstr("Surprised"));
  EXPECT_THAT(emotions.out, Not(HasSubstr("jawOpen")));
}

TEST_F(CliTest, AskingTheServer) {
  const std::vector<std::string> server = {"--server", server_.address()};
  const auto ask = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), server.begin(), server.end());
    const Ended ended = Run(arguments);
    EXPECT_EQ(ended.code, ExitCode::kOk) << arguments[0] << ": " << ended.err;
    return ended.out;
  };
  EXPECT_THAT(ask({"health"}), StartsWith("serving"));
  EXPECT_EQ(nlohmann::json::parse(ask({"health", "--json"}))["status"], "serving");
  EXPECT_THAT(ask({"stats"}), HasSubstr("requests: "));
  EXPECT_TRUE(nlohmann::json::parse(ask({"stats", "--json"}))["times"].contains("inference"));
  EXPECT_THAT(ask({"models"}), Not(IsEmpty()));
  EXPECT_TRUE(nlohmann::json::parse(ask({"models", "--json"})).is_array());
  ask({"load", "m.onnx", "--name", "mine", "--option", "threads=2"});
  EXPECT_EQ(service_.LastLoad().model_name(), "mine");
  EXPECT_TRUE(std::filesystem::path(service_.LastLoad().model_path()).is_absolute());
  EXPECT_EQ(service_.LastLoad().options().at("threads"), "2");
  EXPECT_THAT(ask({"unload", "mine"}), HasSubstr("unloaded mine"));
}

}  // namespace
}  // namespace blendwire::cli

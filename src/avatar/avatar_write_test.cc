// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "avatar/avatar.h"
#include "avatar/testing/gltf_builder.h"
#include "avatar/testing/gltf_reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::avatar {
namespace {

using ::testing::ElementsAre;
using testing::GlbParts;
using testing::GltfBuilder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Json;
using testing::Point;
using ::testing::SizeIs;

std::string Bytes(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

class AvatarWriteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static Avatar MustParse(const GltfBuilder& builder) {
    ReadOptions options;
    options.join_split_vertices = false;
    absl::StatusOr<Avatar> avatar = Avatar::Parse(builder.Glb(), options);
    EXPECT_TRUE(avatar.ok()) << avatar.status();
    return *std::move(avatar);
  }

  // Offsets of about 1 cm, the same each time.
  static std::vector<float> SomeOffsets(const Avatar& avatar, uint32_t seed = 1) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> metres(-0.01f, 0.01f);
    std::vector<float> offsets(avatar.vertices().size());
    for (float& value : offsets) value = metres(random);
    return offsets;
  }

  GlbParts Write(const Avatar& avatar, std::vector<MorphTarget> targets,
                 const WriteOptions& options = {}) {
    const std::filesystem::path file = folder_ / "out.glb";
    const absl::StatusOr<WriteReport> report = avatar.Write(file, targets, options);
    EXPECT_TRUE(report.ok()) << report.status();
    if (report.ok()) report_ = *report;
    const std::string bytes = Bytes(file);
    EXPECT_EQ(bytes.size(), report_.file_bytes);
    return testing::SplitGlb(bytes);
  }

  // Target `target` of node 0's primitive must move the vertices by the offsets.
  static void ExpectMoved(const GlbParts& file, const Avatar& avatar,
                          const std::vector<float>& offsets, int target = 0) {
    const std::vector<Point> moved = testing::MorphedVertices(file, 0, 0, target);
    ASSERT_EQ(offsets.size(), 3 * moved.size());
    for (size_t i = 0; i < offsets.size(); ++i) {
      EXPECT_NEAR(moved[i / 3][i % 3], avatar.vertices()[i] + offsets[i], 1e-6) << i;
    }
  }

  std::filesystem::path folder_;
  WriteReport report_;
};

TEST_F(AvatarWriteTest, AnOffsetMovesTheVertexByJustThat) {
  for (const bool vrm0 : {false, true}) {
    GltfBuilder builder;
    builder.AddMesh("face", SquarePrimitive(builder));
    builder.root["nodes"][0]["scale"] = {0.5, 2.0, -1.5};
    builder.root["nodes"][0]["rotation"] = {0.1825741858, 0.3651483717, 0.5477225575, 0.7302967433};
    builder.root["nodes"][0]["translation"] = {0.3, 1.5, -0.2};
    if (vrm0) builder.root["extensions"]["VRM"] = Json::object();
    const Avatar avatar = MustParse(builder);
    const std::vector<float> offsets = SomeOffsets(avatar);
    const GlbParts file = Write(avatar, {{"vrc.v_aa", offsets}});
    ExpectMoved(file, avatar, offsets);
    const Json& mesh = file.root["meshes"][0];
    EXPECT_EQ(mesh["extras"]["targetNames"], Json::array({"vrc.v_aa"}));
    EXPECT_EQ(mesh["weights"], Json::array({0.0}));
    ASSERT_THAT(report_.meshes, SizeIs(1));
    EXPECT_THAT(report_.meshes[0].added, ElementsAre("vrc.v_aa"));
  }
}

TEST_F(AvatarWriteTest, ASkinnedVertexToo) {
  GltfBuilder builder;
  Json primitive = SquarePrimitive(builder);
  primitive["attributes"]["JOINTS_0"] = builder.AddAccessor(
      GltfBuilder::Pack<uint16_t>({0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}), 5123, "VEC4",
      4);
  primitive["attributes"]["WEIGHTS_0"] = builder.AddAccessor(
      GltfBuilder::Pack<uint8_t>({255, 0, 0, 0, 55, 200, 0, 0, 100, 50, 0, 0, 255, 0, 0, 0}), 5121,
      "VEC4", 4);
  builder.root["accessors"].back()["normalized"] = true;
  const size_t binds = builder.AddAccessor(
      GltfBuilder::Pack<float>({1, 0, 0, 0, 0,  1, 0, 0, 0, 0, 1, 0, 0,    -1, 0, 1,
                                0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0.5f, 0,  0, 1}),
      5126, "MAT4", 2);
  builder.AddMesh("face", primitive);
  builder.root["nodes"][0]["skin"] = 0;
  builder.AddNode({{"translation", {0, 1.5, 0}}, {"scale", {2, 2, 2}}, {"children", {2}}});
  builder.root["nodes"].push_back({{"rotation", {0, 0.3826834324, 0, 0.9238795325}}});
  builder.root["skins"] = Json::array({{{"joints", {1, 2}}, {"inverseBindMatrices", binds}}});
  const Avatar avatar = MustParse(builder);
  const std::vector<float> offsets = SomeOffsets(avatar);
  ExpectMoved(Write(avatar, {{"aa", offsets}}), avatar, offsets);
}

TEST_F(AvatarWriteTest, AQuantizedMeshToo) {
  GltfBuilder builder;
  const size_t view = builder.AddView(
      GltfBuilder::Pack<int16_t>({-3000, 0, 5, 0, 6400, 0, 1, 0, 3, 10000, 7, 0}), 8);
  builder.root["accessors"].push_back({{"bufferView", view},
                                       {"componentType", 5122},
                                       {"normalized", true},
                                       {"count", 3},
                                       {"type", "VEC3"}});
  builder.root["extensionsRequired"] = {"KHR_mesh_quantization"};
  builder.AddMesh("face", {{"attributes", {{"POSITION", 0}}}});
  const Avatar avatar = MustParse(builder);
  const std::vector<float> offsets = SomeOffsets(avatar);
  ExpectMoved(Write(avatar, {{"aa", offsets}}), avatar, offsets);
}

TEST_F(AvatarWriteTest, FewMovedVerticesAreWrittenSparselyAndNoneWithoutData) {
  GltfBuilder builder;
  std::vector<float> positions;
  for (int i = 0; i < 900; ++i) positions.push_back(static_cast<float>(i * i % 97) / 97);
  builder.AddMesh("face", {{"attributes", {{"POSITION", builder.AddVec3(positions)}}}});
  const Avatar avatar = MustParse(builder);
  std::vector<float> few(positions.size(), 0.0f);
  few[300] = 0.01f;
  few[899] = -0.02f;
  const std::vector<float> none(positions.size(), 0.0f);
  const std::vector<float> all = SomeOffsets(avatar);
  const GlbParts file = Write(avatar, {{"few", few}, {"none", none}, {"all", all}});
  const Json& targets = file.root["meshes"][0]["primitives"][0]["targets"];
  ASSERT_THAT(targets, SizeIs(3));
  const auto accessor = [&](size_t i) {
    return file.root["accessors"][targets[i]["POSITION"].get<size_t>()];
  };
  EXPECT_EQ(accessor(0)["sparse"]["count"], 2);
  EXPECT_FALSE(accessor(1).contains("sparse"));
  EXPECT_FALSE(accessor(1).contains("bufferView"));
  EXPECT_TRUE(accessor(2).contains("bufferView"));
  ExpectMoved(file, avatar, few, 0);
  ExpectMoved(file, avatar, none, 1);
  ExpectMoved(file, avatar, all, 2);
  for (size_t i = 0; i < 3; ++i) {
    const std::vector<double> numbers =
        testing::AccessorNumbers(file, targets[i]["POSITION"].get<size_t>());
    for (size_t c = 0; c < 3; ++c) {
      double least = numbers[c];
      double most = numbers[c];
      for (size_t k = c; k < numbers.size(); k += 3) {
        least = std::min(least, numbers[k]);
        most = std::max(most, numbers[k]);
      }
      EXPECT_EQ(accessor(i)["min"][c].get<double>(), least);
      EXPECT_EQ(accessor(i)["max"][c].get<double>(), most);
    }
  }
}

TEST_F(AvatarWriteTest, WhatWasInTheFileIsStillThere) {
  GltfBuilder builder;
  Json primitive = SquarePrimitive(builder);
  primitive["targets"] =
      Json::array({{{"POSITION", builder.AddVec3(std::vector<float>(12, 1.f))}}});
  primitive["material"] = 0;
  primitive["extensions"]["ACME_unknown"] = {{"deep", {1, 2.5, "x"}}};
  builder.AddMesh("face", primitive);
  builder.root["meshes"][0]["extras"] = {{"targetNames", {"old"}}, {"mine", 7}};
  builder.root["meshes"][0]["weights"] = {0.25};
  builder.root["nodes"][0]["weights"] = {0.5};
  builder.root["materials"] = Json::array({{{"name", "skin"}}});
  const size_t image = builder.AddView("\x89PNG\r\n\x1a\nnot really");
  builder.root["images"] = Json::array({{{"bufferView", image}, {"mimeType", "image/png"}}});
  builder.root["extensionsUsed"] = {"VRM", "ACME_unknown"};
  builder.root["extensions"]["VRM"]["blendShapeMaster"]["blendShapeGroups"] =
      Json::array({{{"name", "A"}, {"binds", {{{"mesh", 0}, {"index", 0}, {"weight", 100}}}}}});
  builder.root["extensions"]["ACME_unknown"] = {{"large", 9007199254740993}, {"pi", 3.14159}};
  const Avatar avatar = MustParse(builder);
  const std::vector<float> offsets = SomeOffsets(avatar);
  const GlbParts file = Write(avatar, {{"new", offsets}});

  Json expected = builder.root;
  Json got = file.root;
  EXPECT_EQ(got["meshes"][0]["extras"]["targetNames"], Json::array({"old", "new"}));
  EXPECT_EQ(got["meshes"][0]["extras"]["mine"], 7);
  EXPECT_EQ(got["meshes"][0]["weights"], Json::array({0.25, 0.0}));
  EXPECT_EQ(got["nodes"][0]["weights"], Json::array({0.5, 0.0}));
  ASSERT_THAT(got["meshes"][0]["primitives"][0]["targets"], SizeIs(2));
  EXPECT_EQ(got["meshes"][0]["primitives"][0]["targets"][0], primitive["targets"][0]);
  ExpectMoved(file, avatar, offsets, 1);
  // All the rest is as it was, to the letter.
  for (const char* key : {"weights", "extras"}) {
    got["meshes"][0].erase(key);
    expected["meshes"][0].erase(key);
    got["nodes"][0].erase("weights");
    expected["nodes"][0].erase("weights");
  }
  got["meshes"][0]["primitives"][0].erase("targets");
  expected["meshes"][0]["primitives"][0].erase("targets");
  for (const char* key : {"accessors", "bufferViews"}) {
    for (size_t i = 0; i < expected[key].size(); ++i) EXPECT_EQ(got[key][i], expected[key][i]);
    got.erase(key);
    expected.erase(key);
  }
  got.erase("buffers");
  EXPECT_EQ(got.dump(), expected.dump());
  EXPECT_EQ(file.bin.substr(0, builder.bin.size()), builder.bin);
}

TEST_F(AvatarWriteTest, ANameThatIsThereIsKeptOrReplacedInItsPlace) {
  GltfBuilder builder;
  Json primitive = SquarePrimitive(builder);
  const size_t old = builder.AddVec3(std::vector<float>(12, 1.0f));
  primitive["targets"] = Json::array({{{"POSITION", old}}, {{"POSITION", old}}});
  builder.AddMesh("face", primitive);
  builder.root["meshes"][0]["primitives"][0]["extras"]["targetNames"] = {"aa", "ou"};
  const Avatar avatar = MustParse(builder);
  EXPECT_THAT(avatar.meshes()[0].morph_targets, ElementsAre("aa", "ou"));
  const std::vector<float> offsets = SomeOffsets(avatar);

  GlbParts file = Write(avatar, {{"ou", offsets}, {"E", offsets}});
  EXPECT_THAT(report_.meshes[0].kept, ElementsAre("ou"));
  EXPECT_THAT(report_.meshes[0].added, ElementsAre("E"));
  EXPECT_EQ(file.root["meshes"][0]["primitives"][0]["targets"][1]["POSITION"], old);
  EXPECT_EQ(file.root["meshes"][0]["extras"]["targetNames"], Json::array({"aa", "ou", "E"}));
  EXPECT_EQ(file.root["meshes"][0]["primitives"][0]["extras"]["targetNames"],
            Json::array({"aa", "ou", "E"}));

  WriteOptions overwrite;
  overwrite.overwrite = true;
  file = Write(avatar, {{"ou", offsets}}, overwrite);
  EXPECT_THAT(report_.meshes[0].replaced, ElementsAre("ou"));
  EXPECT_THAT(file.root["meshes"][0]["primitives"][0]["targets"], SizeIs(2));
  ExpectMoved(file, avatar, offsets, 1);
}

TEST_F(AvatarWriteTest, UnnamedTargetsGetNamesOnceNewOnesCome) {
  GltfBuilder builder;
  Json primitive = SquarePrimitive(builder);
  const size_t old = builder.AddVec3(std::vector<float>(12, 1.0f));
  primitive["targets"] = Json::array({{{"POSITION", old}}, {{"POSITION", old}}});
  builder.AddMesh("face", primitive);
  builder.root["meshes"][0]["extras"] = "a note";
  const Avatar avatar = MustParse(builder);
  const GlbParts file = Write(avatar, {{"aa", SomeOffsets(avatar)}});
  EXPECT_EQ(file.root["meshes"][0]["extras"]["targetNames"],
            Json::array({"target_0", "target_1", "aa"}));
  EXPECT_EQ(file.root["meshes"][0]["extras"]["extras"], "a note");
}

TEST_F(AvatarWriteTest, EveryPrimitiveOfAMovedMeshGetsEveryTargetAndOtherMeshesNone) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  builder.AddMesh("hair", SquarePrimitive(builder));
  const size_t points = builder.AddVec3({0, 0, 0, 1, 1, 1});
  Json& primitives = builder.root["meshes"][0]["primitives"];
  primitives.push_back(SquarePrimitive(builder));
  primitives.push_back({{"attributes", {{"POSITION", points}}}, {"mode", 0}});
  const Avatar avatar = MustParse(builder);
  std::vector<float> offsets(avatar.vertices().size(), 0.0f);
  offsets[0] = 0.01f;   // the face's first primitive
  offsets[30] = 1e-7f;  // the hair: less than the threshold
  const std::vector<float> none(offsets.size(), 0.0f);
  const GlbParts file = Write(avatar, {{"aa", offsets}, {"sil", none}});
  for (const Json& primitive : file.root["meshes"][0]["primitives"]) {
    EXPECT_THAT(primitive["targets"], SizeIs(2));
  }
  EXPECT_FALSE(file.root["meshes"][1]["primitives"][0].contains("targets"));
  EXPECT_FALSE(file.root["meshes"][1].contains("weights"));
  EXPECT_THAT(report_.meshes, SizeIs(1));
  EXPECT_THAT(testing::MorphedVertices(file, 0, 2, 0), SizeIs(2));
}

TEST_F(AvatarWriteTest, NormalsTurnWithTheSurface) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  const Avatar avatar = MustParse(builder);
  // The square's upper edge moves to the front by its height: the surface tilts by 45 degrees.
  std::vector<float> offsets(12, 0.0f);
  for (size_t i = 0; i < 4; ++i) offsets[3 * i + 1] = -avatar.vertices()[3 * i + 2];
  const GlbParts file = Write(avatar, {{"tilt", offsets}});
  const Json& target = file.root["meshes"][0]["primitives"][0]["targets"][0];
  const std::vector<double> turns = testing::AccessorNumbers(file, target["NORMAL"].get<size_t>());
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(turns[3 * i], 0.0, 1e-6);
    EXPECT_NEAR(turns[3 * i + 1], -std::sqrt(0.5), 1e-6);
    EXPECT_NEAR(turns[3 * i + 2], std::sqrt(0.5) - 1.0, 1e-6);
  }
  WriteOptions options;
  options.normals = false;
  const GlbParts without = Write(avatar, {{"tilt", offsets}}, options);
  EXPECT_FALSE(without.root["meshes"][0]["primitives"][0]["targets"][0].contains("NORMAL"));
}

TEST_F(AvatarWriteTest, AnimatedWeightsGetZerosForTheNewTargets) {
  GltfBuilder builder;
  Json primitive = SquarePrimitive(builder);
  const size_t old = builder.AddVec3(std::vector<float>(12, 1.0f));
  primitive["targets"] = Json::array({{{"POSITION", old}}, {{"POSITION", old}}});
  builder.AddMesh("face", primitive);
  const size_t times = builder.AddAccessor(GltfBuilder::Pack<float>({0, 1, 2}), 5126, "SCALAR", 3);
  const size_t weights =
      builder.AddAccessor(GltfBuilder::Pack<float>({1, 2, 3, 4, 5, 6}), 5126, "SCALAR", 6);
  builder.root["animations"] = Json::parse(R"([{"samplers": [{}],
      "channels": [{"sampler": 0, "target": {"node": 0, "path": "weights"}}]}])");
  builder.root["animations"][0]["samplers"][0] = {{"input", times}, {"output", weights}};
  const Avatar avatar = MustParse(builder);
  const GlbParts file = Write(avatar, {{"aa", SomeOffsets(avatar)}});
  const Json& animation = file.root["animations"][0];
  const size_t sampler = animation["channels"][0]["sampler"].get<size_t>();
  EXPECT_EQ(animation["samplers"][sampler]["input"], times);
  EXPECT_THAT(
      testing::AccessorNumbers(file, animation["samplers"][sampler]["output"].get<size_t>()),
      ElementsAre(1, 2, 0, 3, 4, 0, 5, 6, 0));
}

TEST_F(AvatarWriteTest, ASecondWriteReadsTheFirst) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  const Avatar avatar = MustParse(builder);
  const std::vector<float> first = SomeOffsets(avatar, 1);
  const std::vector<float> second = SomeOffsets(avatar, 2);
  Write(avatar, {{"aa", first}});
  const std::filesystem::path file = folder_ / "out.glb";
  const auto again = Avatar::Read(file, {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->meshes()[0].morph_targets, ElementsAre("aa"));
  ASSERT_TRUE(again->Write(file, {{"ou", second}}, {}).ok());
  const GlbParts both = testing::SplitGlb(Bytes(file));
  ExpectMoved(both, avatar, first, 0);
  ExpectMoved(both, avatar, second, 1);
}

TEST_F(AvatarWriteTest, AsGltfAndAsVrm) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  const Avatar plain = MustParse(builder);
  const std::vector<float> offsets = SomeOffsets(plain);
  ASSERT_TRUE(plain.Write(folder_ / "out.gltf", {{"aa", offsets}}, {}).ok());
  const auto again = Avatar::Read(folder_ / "out.gltf", {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_THAT(again->meshes()[0].morph_targets, ElementsAre("aa"));

  EXPECT_THAT(plain.Write(folder_ / "out.vrm", {}, {}).status().message(), HasSubstr("no VRM"));
  EXPECT_THAT(plain.Write(folder_ / "out.fbx", {}, {}).status().message(), HasSubstr(".fbx"));
  builder.root["extensions"]["VRMC_vrm"] = Json::object();
  EXPECT_TRUE(MustParse(builder).Write(folder_ / "out.vrm", {{"aa", offsets}}, {}).ok());
}

TEST_F(AvatarWriteTest, BadTargetsAreRefusedAndNothingIsWritten) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  const Avatar avatar = MustParse(builder);
  const std::vector<float> offsets = SomeOffsets(avatar);
  const std::vector<float> nan(offsets.size(), std::nanf(""));
  const auto message = [&](std::vector<MorphTarget> targets) {
    const auto report = avatar.Write(folder_ / "out.glb", targets, {});
    EXPECT_EQ(report.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(report.status().message());
  };
  EXPECT_THAT(message({{"", offsets}}), HasSubstr("targets[0].name"));
  EXPECT_THAT(message({{"\xff", offsets}}), HasSubstr("UTF-8"));
  EXPECT_THAT(message({{"aa", offsets}, {"aa", offsets}}), HasSubstr("targets[1].name is \"aa\""));
  EXPECT_THAT(message({{"aa", absl::MakeConstSpan(offsets).first(6)}}), HasSubstr("12 are needed"));
  EXPECT_THAT(message({{"aa", nan}}), HasSubstr("offsets[0] is nan"));
  EXPECT_THAT(avatar.Write(folder_ / "none" / "out.glb", {{"aa", offsets}}, {}).status().message(),
              HasSubstr("cannot create"));
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace blendwire::avatar

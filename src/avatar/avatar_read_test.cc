// SPDX-License-Identifier: Apache-2.0

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "avatar/avatar.h"
#include "avatar/testing/gltf_builder.h"
#include "avatar/testing/gltf_reference.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::avatar {
namespace {

using ::testing::ElementsAre;
using testing::GltfBuilder;
using ::testing::HasSubstr;
using testing::Json;
using testing::Point;
using ::testing::SizeIs;

// With every vertex of the file on its own, in the file's order.
ReadOptions Separate() {
  ReadOptions options;
  options.join_split_vertices = false;
  return options;
}

Avatar MustParse(const GltfBuilder& builder, const ReadOptions& options = Separate()) {
  absl::StatusOr<Avatar> avatar = Avatar::Parse(builder.Glb(), options);
  EXPECT_TRUE(avatar.ok()) << avatar.status();
  return *std::move(avatar);
}

// The avatar's vertices must be those of `node`'s first primitive by the reference.
void ExpectReference(const GltfBuilder& builder, size_t node) {
  const Avatar avatar = MustParse(builder);
  const std::vector<Point> expected =
      testing::MorphedVertices(testing::SplitGlb(builder.Glb()), node, 0, -1);
  ASSERT_EQ(avatar.vertices().size(), 3 * expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) {
      EXPECT_NEAR(avatar.vertices()[3 * i + c], expected[i][c], 1e-6) << i << " " << c;
    }
  }
}

TEST(AvatarReadTest, AxesBecomeTheContracts) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  const Avatar avatar = MustParse(builder);
  // glTF (-0.1, 0, 0.1): the avatar's right, at the front.
  EXPECT_THAT(avatar.vertices().subspan(0, 3), ElementsAre(-0.1f, -0.1f, 0.0f));
  EXPECT_THAT(avatar.vertices().subspan(6, 3), ElementsAre(0.1f, -0.1f, 0.2f));
  EXPECT_THAT(avatar.triangles(), ElementsAre(0, 1, 2, 0, 2, 3));
  ASSERT_THAT(avatar.meshes(), SizeIs(1));
  EXPECT_EQ(avatar.meshes()[0].name, "face");
  EXPECT_EQ(avatar.meshes()[0].vertex_count, 4u);
}

TEST(AvatarReadTest, Vrm0FacesTheOtherWayAndVrm1DoesNot) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  builder.root["extensions"]["VRM"] = {{"exporterVersion", "UniVRM-0.99"}};
  EXPECT_THAT(MustParse(builder).vertices().subspan(0, 3), ElementsAre(0.1f, 0.1f, 0.0f));
  builder.root["extensions"].erase("VRM");
  builder.root["extensions"]["VRMC_vrm"] = {{"specVersion", "1.0"}};
  EXPECT_THAT(MustParse(builder).vertices().subspan(0, 3), ElementsAre(-0.1f, -0.1f, 0.0f));
}

TEST(AvatarReadTest, NodesMoveTurnAndScaleTheirChildren) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  builder.root["nodes"][0]["scale"] = {0.5, 2.0, -1.5};
  builder.root["nodes"][0]["rotation"] = {0.1825741858, 0.3651483717, 0.5477225575, 0.7302967433};
  builder.root["nodes"].push_back(
      {{"children", {0}}, {"matrix", {0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 2, 0, 3, 4, 5, 1}}});
  builder.root["scenes"][0]["nodes"] = {1};
  ExpectReference(builder, 0);
}

TEST(AvatarReadTest, AMirroredMeshStillHasItsOutsideOutside) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  builder.root["nodes"][0]["scale"] = {-1, 1, 1};
  EXPECT_THAT(MustParse(builder).triangles(), ElementsAre(0, 2, 1, 0, 3, 2));
}

TEST(AvatarReadTest, EveryComponentTypeAndInterleaving) {
  struct Case {
    int type;
    bool normalized;
    std::string bytes;
    size_t stride;
  };
  const std::vector<Case> cases = {
      {5120, true, GltfBuilder::Pack<int8_t>({-128, 0, 127, 0, 64, 0, 1, 0, 3, 100, 7, 0}), 4},
      {5120, false, GltfBuilder::Pack<int8_t>({-128, 0, 127, 0, 64, 0, 1, 0, 3, 100, 7, 0}), 4},
      {5121, true, GltfBuilder::Pack<uint8_t>({255, 0, 1, 0, 64, 0, 1, 0, 3, 100, 7, 0}), 4},
      {5122, true, GltfBuilder::Pack<int16_t>({-32768, 0, 5, 0, 64, 0, 1, 0, 3, 1000, 7, 0}), 8},
      {5123, false, GltfBuilder::Pack<uint16_t>({65535, 0, 5, 0, 64, 0, 1, 0, 3, 1000, 7, 0}), 8},
      {5126, false, GltfBuilder::Pack<float>({1, 2, 3, 9, 4, 5, 6, 9, 7, 9, 8, 9}), 16},
  };
  for (const Case& c : cases) {
    GltfBuilder builder;
    const size_t view = builder.AddView(c.bytes, static_cast<int>(c.stride));
    builder.root["accessors"].push_back({{"bufferView", view},
                                         {"componentType", c.type},
                                         {"normalized", c.normalized},
                                         {"count", 3},
                                         {"type", "VEC3"}});
    builder.AddMesh("face", {{"attributes", {{"POSITION", 0}}}});
    SCOPED_TRACE(c.type);
    ExpectReference(builder, 0);
  }
}

TEST(AvatarReadTest, SparseAccessorsWithAndWithoutABase) {
  for (const bool with_base : {true, false}) {
    GltfBuilder builder;
    Json primitive = SquarePrimitive(builder);
    const size_t indices = builder.AddView(GltfBuilder::Pack<uint8_t>({1, 3}));
    const size_t values = builder.AddView(GltfBuilder::Pack<float>({1, 2, 3, 4, 5, 6}));
    builder.root["accessors"][0]["sparse"] = {
        {"count", 2},
        {"indices", {{"bufferView", indices}, {"componentType", 5121}}},
        {"values", {{"bufferView", values}}}};
    if (!with_base) builder.root["accessors"][0].erase("bufferView");
    builder.AddMesh("face", primitive);
    ExpectReference(builder, 0);
  }
}

TEST(AvatarReadTest, IndicesOfEverySizeStripsAndFans) {
  const auto triangles = [](int mode, int type, const std::string& bytes, size_t count) {
    GltfBuilder builder;
    Json primitive = SquarePrimitive(builder);
    if (type == 0) {
      primitive.erase("indices");
    } else {
      primitive["indices"] = builder.AddAccessor(bytes, type, "SCALAR", count);
    }
    primitive["mode"] = mode;
    builder.AddMesh("face", primitive);
    const Avatar avatar = MustParse(builder);
    return std::vector<uint32_t>(avatar.triangles().begin(), avatar.triangles().end());
  };
  EXPECT_THAT(triangles(4, 5121, GltfBuilder::Pack<uint8_t>({3, 0, 1}), 3), ElementsAre(3, 0, 1));
  EXPECT_THAT(triangles(4, 5125, GltfBuilder::Pack<uint32_t>({3, 0, 1}), 3), ElementsAre(3, 0, 1));
  EXPECT_THAT(triangles(4, 0, "", 0), ElementsAre(0, 1, 2));
  // The specification: p_i = {v_i, v_(i+1+i%2), v_(i+2-i%2)} and {v_(i+1), v_(i+2), v_0}.
  EXPECT_THAT(triangles(5, 5121, GltfBuilder::Pack<uint8_t>({0, 1, 3, 2}), 4),
              ElementsAre(0, 1, 3, 1, 2, 3));
  EXPECT_THAT(triangles(6, 0, "", 0), ElementsAre(1, 2, 0, 2, 3, 0));
}

TEST(AvatarReadTest, SkinnedVerticesStandWhereTheJointsArePosed) {
  GltfBuilder builder;
  Json primitive = SquarePrimitive(builder);
  primitive["attributes"]["JOINTS_0"] = builder.AddAccessor(
      GltfBuilder::Pack<uint8_t>({0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0}), 5121, "VEC4",
      4);
  primitive["attributes"]["WEIGHTS_0"] = builder.AddAccessor(
      GltfBuilder::Pack<float>({1, 0, 0, 0, 0.25f, 0.75f, 0, 0, 0.5f, 0.25f, 0, 0, 1, 0, 0, 0}),
      5126, "VEC4", 4);
  const size_t binds = builder.AddAccessor(
      GltfBuilder::Pack<float>({1, 0, 0, 0, 0,  1, 0, 0, 0, 0, 1, 0, 0,    -1, 0, 1,
                                0, 1, 0, 0, -1, 0, 0, 0, 0, 0, 1, 0, 0.5f, 0,  0, 1}),
      5126, "MAT4", 2);
  builder.AddMesh("face", primitive);
  builder.root["nodes"][0]["skin"] = 0;
  builder.root["nodes"][0]["translation"] = {100, 100, 100};  // means nothing for a skinned mesh
  builder.AddNode({{"translation", {0, 1.5, 0}}, {"scale", {2, 2, 2}}, {"children", {2}}});
  builder.root["nodes"].push_back({{"rotation", {0, 0.7071067812, 0, 0.7071067812}}});
  builder.root["skins"] = Json::array({{{"joints", {1, 2}}, {"inverseBindMatrices", binds}}});
  ExpectReference(builder, 0);
}

TEST(AvatarReadTest, SplitVerticesAreOneAgainButTouchingLipsAreNot) {
  GltfBuilder builder;
  // Vertices 1 and 4 are one, split at a seam; 5 is at the same place, facing the other way.
  const size_t positions = builder.AddVec3({0, 0, 0, 1, 0, 0, 0, 1, 0,  //
                                            0, 0, 5, 1, 0, 0, 1, 0, 0});
  const size_t normals = builder.AddVec3({0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, -1});
  const size_t indices = builder.AddIndices({0, 1, 2, 3, 4, 2, 3, 5, 2});
  builder.AddMesh("face", {{"attributes", {{"POSITION", positions}, {"NORMAL", normals}}},
                           {"indices", indices}});
  const Avatar avatar = MustParse(builder, {});
  EXPECT_EQ(avatar.vertices().size(), 15u);
  EXPECT_THAT(avatar.triangles(), ElementsAre(0, 1, 2, 3, 1, 2, 3, 4, 2));
}

TEST(AvatarReadTest, VerticesThatAMorphTargetPartsStayTwo) {
  GltfBuilder builder;
  const size_t positions = builder.AddVec3({0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 5, 1, 0, 0});
  const size_t target = builder.AddVec3({0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, -1, 0});
  const size_t indices = builder.AddIndices({0, 1, 2, 3, 4, 2});
  Json primitive = {{"attributes", {{"POSITION", positions}}}, {"indices", indices}};
  builder.AddMesh("face", primitive);
  EXPECT_EQ(MustParse(builder, {}).vertices().size(), 12u);
  builder.root["meshes"][0]["primitives"][0]["targets"] = Json::array({{{"POSITION", target}}});
  EXPECT_EQ(MustParse(builder, {}).vertices().size(), 15u);
}

TEST(AvatarReadTest, PrimitivesThatShareVerticesShareThemInTheList) {
  GltfBuilder builder;
  Json primitive = SquarePrimitive(builder);
  primitive["indices"] = builder.AddIndices({0, 1, 2});
  builder.AddMesh("face", primitive);
  primitive["indices"] = builder.AddIndices({0, 2, 3});
  builder.root["meshes"][0]["primitives"].push_back(primitive);
  const Avatar avatar = MustParse(builder);
  EXPECT_EQ(avatar.vertices().size(), 12u);
  EXPECT_THAT(avatar.triangles(), ElementsAre(0, 1, 2, 0, 2, 3));
}

TEST(AvatarReadTest, OnlyTheDefaultSceneAndOnlyTheMeshesAskedFor) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  builder.AddMesh("hair", SquarePrimitive(builder));
  builder.AddMesh("hidden", SquarePrimitive(builder));
  builder.root["nodes"][1]["name"] = "HairObject";
  builder.root["scenes"][0]["nodes"] = {0, 1};
  EXPECT_THAT(MustParse(builder).meshes(), SizeIs(2));
  ReadOptions options;
  options.meshes = {"HairObject"};
  const Avatar avatar = MustParse(builder, options);
  ASSERT_THAT(avatar.meshes(), SizeIs(1));
  EXPECT_EQ(avatar.meshes()[0].name, "hair");
  options.meshes = {"hidden"};
  const auto missing = Avatar::Parse(builder.Glb(), options);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr("face, hair"));
}

TEST(AvatarReadTest, AMeshShownTwiceIsReadOnceWithAWarning) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  builder.AddNode({{"mesh", 0}, {"translation", {5, 0, 0}}});
  const Avatar avatar = MustParse(builder);
  EXPECT_EQ(avatar.vertices().size(), 12u);
  ASSERT_THAT(avatar.warnings(), SizeIs(1));
  EXPECT_THAT(avatar.warnings()[0], HasSubstr("several nodes"));
}

class AvatarReadFileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Put(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  std::filesystem::path folder_;
};

TEST_F(AvatarReadFileTest, GltfWithABinFileADataUriOrBoth) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  const Avatar expected = MustParse(builder);
  Put("my data.bin", builder.bin);
  const std::string data =
      "data:application/octet-stream;base64," + absl::Base64Escape(builder.bin);
  for (const std::string& uri : {std::string("my%20data.bin"), data}) {
    const auto avatar = Avatar::Read(Put("face.gltf", builder.Gltf(uri)), Separate());
    ASSERT_TRUE(avatar.ok()) << avatar.status();
    EXPECT_EQ(avatar->vertices(), expected.vertices());
  }
  Json both = Json::parse(builder.Gltf("my%20data.bin"));
  const Json first = {{"byteLength", 3}, {"uri", "data:;base64,AAAA"}};
  both["buffers"] = Json::array({first, both["buffers"][0]});
  for (Json& view : both["bufferViews"]) view["buffer"] = 1;
  const auto avatar = Avatar::Read(Put("both.gltf", both.dump()), Separate());
  ASSERT_TRUE(avatar.ok()) << avatar.status();
  EXPECT_EQ(avatar->vertices(), expected.vertices());
}

TEST_F(AvatarReadFileTest, NoFileOutsideItsFolderIsRead) {
  GltfBuilder builder;
  builder.AddMesh("face", SquarePrimitive(builder));
  Put("data.bin", builder.bin);
  std::filesystem::create_directories(folder_ / "sub");
  for (const std::string& uri :
       {std::string("../data.bin"), std::string("%2e%2e/data.bin"), (folder_ / "data.bin").string(),
        "file://" + (folder_ / "data.bin").string()}) {
    const auto avatar = Avatar::Read(Put("sub/face.gltf", builder.Gltf(uri)), {});
    EXPECT_EQ(avatar.status().code(), absl::StatusCode::kInvalidArgument) << uri;
    EXPECT_THAT(avatar.status().message(), HasSubstr("own folder")) << uri;
  }
}

TEST_F(AvatarReadFileTest, AMissingFileIsNotFound) {
  EXPECT_EQ(Avatar::Read(folder_ / "none.glb", {}).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Avatar::Read(folder_, {}).status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace blendwire::avatar

// SPDX-License-Identifier: Apache-2.0
//
// Broken and hostile files: each must be refused with a reason, or read; never a crash, an overread
// (run this under AddressSanitizer) or memory that the file does not account for.

#include <functional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "avatar/avatar.h"
#include "avatar/testing/gltf_builder.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::avatar {
namespace {

using testing::GltfBuilder;
using ::testing::HasSubstr;
using testing::Json;

GltfBuilder Skinned() {
  GltfBuilder builder;
  Json primitive = SquarePrimitive(builder);
  primitive["attributes"]["JOINTS_0"] =
      builder.AddAccessor(GltfBuilder::Pack<uint8_t>(std::vector<uint8_t>(16, 0)), 5121, "VEC4", 4);
  primitive["attributes"]["WEIGHTS_0"] =
      builder.AddAccessor(GltfBuilder::Pack<float>(std::vector<float>(16, 0.25f)), 5126, "VEC4", 4);
  const size_t binds = builder.AddAccessor(
      GltfBuilder::Pack<float>({1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}), 5126, "MAT4", 1);
  const size_t sparse_indices = builder.AddView(GltfBuilder::Pack<uint16_t>({1, 3}));
  const size_t sparse_values = builder.AddView(GltfBuilder::Pack<float>({1, 2, 3, 4, 5, 6}));
  builder.root["accessors"].push_back(
      {{"componentType", 5126},
       {"count", 4},
       {"type", "VEC3"},
       {"sparse",
        {{"count", 2},
         {"indices", {{"bufferView", sparse_indices}, {"componentType", 5123}}},
         {"values", {{"bufferView", sparse_values}}}}}});
  primitive["targets"] = Json::array({{{"POSITION", builder.root["accessors"].size() - 1}}});
  builder.AddMesh("face", primitive);
  builder.root["nodes"][0]["skin"] = 0;
  builder.AddNode({{"translation", {0, 1, 0}}});
  builder.root["skins"] = Json::array({{{"joints", {1}}, {"inverseBindMatrices", binds}}});
  return builder;
}

TEST(AvatarHostileTest, EachFaultIsNamed) {
  using Spoil = std::function<void(Json&)>;
  const std::vector<std::pair<std::string, Spoil>> cases = {
      {"accessors[0].count", [](Json& r) { r["accessors"][0]["count"] = 1e18; }},
      {"accessors[0].count", [](Json& r) { r["accessors"][0]["count"] = -1; }},
      {"accessors[0].count", [](Json& r) { r["accessors"][0]["count"] = "4"; }},
      {"more than 4000000 vertices", [](Json& r) { r["accessors"][0]["count"] = 4000001; }},
      {"accessors[0] wants", [](Json& r) { r["accessors"][0]["count"] = 5; }},
      {"accessors[0] wants", [](Json& r) { r["accessors"][0]["byteOffset"] = 4; }},
      {"accessors[0] wants",
       [](Json& r) { r["accessors"][0]["byteOffset"] = 18446744073709551600u; }},
      {"componentType", [](Json& r) { r["accessors"][0]["componentType"] = 5124; }},
      {"type", [](Json& r) { r["accessors"][0]["type"] = "VEC9"; }},
      {"3 are needed", [](Json& r) { r["accessors"][0]["type"] = "VEC2"; }},
      {"byteStride", [](Json& r) { r["bufferViews"][0]["byteStride"] = 2; }},
      {"byteStride", [](Json& r) { r["bufferViews"][0]["byteStride"] = 1u << 31; }},
      {"bufferViews[0] wants", [](Json& r) { r["bufferViews"][0]["byteLength"] = 1u << 30; }},
      {"bufferViews[0] wants",
       [](Json& r) { r["bufferViews"][0]["byteOffset"] = 18446744073709551615u; }},
      {"bufferViews[0].buffer is 7", [](Json& r) { r["bufferViews"][0]["buffer"] = 7; }},
      {"accessors[0].bufferView is 99", [](Json& r) { r["accessors"][0]["bufferView"] = 99; }},
      {"POSITION is 77",
       [](Json& r) { r["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = 77; }},
      {"POSITION is missing",
       [](Json& r) { r["meshes"][0]["primitives"][0]["attributes"].erase("POSITION"); }},
      {"primitives", [](Json& r) { r["meshes"][0]["primitives"] = Json::array(); }},
      {"primitives[0] must be", [](Json& r) { r["meshes"][0]["primitives"][0] = 3; }},
      {"mode is 9", [](Json& r) { r["meshes"][0]["primitives"][0]["mode"] = 9; }},
      {"nodes[0].mesh is 5", [](Json& r) { r["nodes"][0]["mesh"] = 5; }},
      {"cycle", [](Json& r) { r["nodes"][0]["children"] = {0}; }},
      {"cycle",
       [](Json& r) {
         r["nodes"][0]["children"] = {1};
         r["nodes"][1]["children"] = {0};
       }},
      {"child of both",
       [](Json& r) {
         r["nodes"].push_back({{"children", {1}}});
         r["nodes"].push_back({{"children", {1}}});
       }},
      {"nodes[0].matrix", [](Json& r) { r["nodes"][0]["matrix"] = {1, 2, 3}; }},
      {"rotation[3]", [](Json& r) { r["nodes"][0]["rotation"] = {0, 0, 0, "1"}; }},
      {"no finite place", [](Json& r) { r["nodes"][1]["scale"] = {1e300, 1, 1}; }},
      {"names joint", [](Json& r) { r["accessors"][3]["bufferView"] = 0; }},
      {"skins[0].joints", [](Json& r) { r["skins"][0]["joints"] = {9}; }},
      {"skins[0].joints", [](Json& r) { r["skins"][0]["joints"] = Json::array(); }},
      {"inverse bind", [](Json& r) { r["skins"][0]["joints"] = {1, 1}; }},
      {"sparse.count", [](Json& r) { r["accessors"].back()["sparse"]["count"] = 5; }},
      {"sparse.indices[0]",
       [](Json& r) {
         r["accessors"].back()["sparse"]["indices"]["bufferView"] = 0;
         r["accessors"].back()["sparse"]["count"] = 1;
       }},
      {"scenes[0].nodes[0]", [](Json& r) { r["scenes"][0]["nodes"] = {50}; }},
      {"the file.scene", [](Json& r) { r["scene"] = 3; }},
      {"meshes is", [](Json& r) { r["meshes"] = "none"; }},
      {"nodes[0] is null", [](Json& r) { r["nodes"][0] = nullptr; }},
      {"asset.version", [](Json& r) { r["asset"]["version"] = "1.0"; }},
      {"no mesh with triangles", [](Json& r) { r["scenes"][0]["nodes"] = Json::array(); }},
      {"export without compression",
       [](Json& r) {
         r["meshes"][0]["primitives"][0]["extensions"]["KHR_draco_mesh_compression"] =
             Json::object();
       }},
      {"export without compression",
       [](Json& r) {
         r["bufferViews"][0]["extensions"]["EXT_meshopt_compression"] = Json::object();
       }},
      {"targets.POSITION is 99",
       [](Json& r) { r["meshes"][0]["primitives"][0]["targets"][0]["POSITION"] = 99; }},
      {"targets.POSITION has",
       [](Json& r) { r["meshes"][0]["primitives"][0]["targets"][0]["POSITION"] = 5; }},
      {"targets.NORMAL is 99",
       [](Json& r) { r["meshes"][0]["primitives"][0]["targets"][0]["NORMAL"] = 99; }},
      {"JOINTS_1 is 99",
       [](Json& r) { r["meshes"][0]["primitives"][0]["attributes"]["JOINTS_1"] = 99; }},
      {"morph targets",
       [](Json& r) {
         Json other = r["meshes"][0]["primitives"][0];
         other.erase("targets");
         r["meshes"][0]["primitives"].push_back(other);
       }},
  };
  ASSERT_TRUE(Avatar::Parse(Skinned().Glb(), {}).ok());
  for (const auto& [fault, spoil] : cases) {
    GltfBuilder builder = Skinned();
    spoil(builder.root);
    for (const bool join : {true, false}) {
      ReadOptions options;
      options.join_split_vertices = join;
      const auto avatar = Avatar::Parse(builder.Glb(), options);
      EXPECT_EQ(avatar.status().code(), absl::StatusCode::kInvalidArgument) << fault;
      EXPECT_THAT(avatar.status().message(), HasSubstr(fault));
    }
  }
}

TEST(AvatarHostileTest, ASmallFileCannotAskForMuchWork) {
  GltfBuilder builder = Skinned();
  Json primitive = builder.root["meshes"][0]["primitives"][0];
  builder.root["accessors"].push_back(
      {{"componentType", 5125}, {"count", 3000000}, {"type", "SCALAR"}});
  primitive["indices"] = builder.root["accessors"].size() - 1;
  Json& primitives = builder.root["meshes"][0]["primitives"];
  for (int i = 0; i < 10000; ++i) primitives.push_back(primitive);
  ReadOptions options;
  options.limits.max_numbers_read = 20'000'000;
  EXPECT_THAT(Avatar::Parse(builder.Glb(), options).status().message(), HasSubstr("limit"));
}

TEST(AvatarHostileTest, DeepJsonIsRefusedWithoutUsingUpTheStack) {
  const std::string deep(1'000'000, '[');
  EXPECT_FALSE(Avatar::Parse(R"({"asset":{"version":"2.0"},"x":)" + deep, {}).ok());
  EXPECT_THAT(
      Avatar::Parse(R"({"asset":{"version":"2.0"},"x":)" + deep + std::string(1'000'000, ']') + "}",
                    {})
          .status()
          .message(),
      HasSubstr("inside each other"));
}

TEST(AvatarHostileTest, EveryTruncationIsRefused) {
  const std::string glb = Skinned().Glb();
  for (size_t size = 0; size < glb.size(); ++size) {
    EXPECT_FALSE(Avatar::Parse(glb.substr(0, size), {}).ok()) << size;
    // The same with a header that agrees.
    std::string agreeing = glb.substr(0, size);
    if (size < 12) continue;
    for (size_t i = 0; i < 4; ++i) agreeing[8 + i] = static_cast<char>(size >> (8 * i));
    (void)Avatar::Parse(agreeing, {});
  }
}

TEST(AvatarHostileTest, FilesWithRandomFaultsAreReadOrRefused) {
  const std::string glb = Skinned().Glb();
  std::mt19937 random(20240501);
  ReadOptions options;
  options.limits.max_vertices = 1000;
  options.limits.max_triangles = 1000;
  options.limits.max_numbers_read = 100000;
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = glb;
    const size_t faults = 1 + random() % 4;
    for (size_t f = 0; f < faults; ++f) {
      const size_t at = random() % bytes.size();
      // Digits for digits more often than anything: most faults in the JSON's syntax end early.
      const bool digit = bytes[at] >= '0' && bytes[at] <= '9';
      bytes[at] = static_cast<char>(digit ? '0' + random() % 10 : random() % 256);
    }
    if (!Avatar::Parse(bytes, options).ok()) ++refused;
  }
  EXPECT_GT(refused, 10000);
  EXPECT_LT(refused, 20000);
}

TEST(AvatarHostileTest, ObjFilesWithRandomFaultsAreReadOrRefused) {
  const std::string obj =
      "mtllib a.mtl\no a\nv 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\n"
      "usemtl m\ns 1\ng x y\nf 1/1/1 2/1/1 3//1 4\nl 1 2\np 1\nf -1 -2 -3\n";
  std::mt19937 random(7);
  for (int round = 0; round < 20000; ++round) {
    std::string text = obj;
    for (size_t f = 0; f <= random() % 4; ++f) {
      text[random() % text.size()] = "0123456789 -/.\nvftnloe\0\xff"[random() % 24];
    }
    (void)Avatar::ParseObj(text, {});
  }
}

}  // namespace
}  // namespace blendwire::avatar

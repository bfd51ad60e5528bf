// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <fstream>
#include <iterator>
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
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr char kSquare[] =
    "o face\n"
    "v 0 0 1\nv 1 0 1\nv 1 1 1\nv 0 1 1\n"
    "vt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
    "f 1/1 2/2 3/3 4/4\n";

TEST(AvatarObjTest, AQuadBecomesTwoTrianglesInContractAxes) {
  const auto avatar = Avatar::ParseObj(kSquare, {});
  ASSERT_TRUE(avatar.ok()) << avatar.status();
  EXPECT_THAT(avatar->vertices(), ElementsAre(0, -1, 0, 1, -1, 0, 1, -1, 1, 0, -1, 1));
  EXPECT_THAT(avatar->triangles(), ElementsAre(0, 1, 2, 0, 2, 3));
  EXPECT_EQ(avatar->meshes()[0].name, "face");
}

TEST(AvatarObjTest, UnitsAndRelativeIndices) {
  ReadOptions options;
  options.obj_unit = 0.01;
  const auto avatar = Avatar::ParseObj("v 0 0 100\nv 100 0 100\nv 0 100 0\nf -3 -2 -1\n", options);
  ASSERT_TRUE(avatar.ok()) << avatar.status();
  EXPECT_THAT(avatar->vertices(), ElementsAre(0, -1, 0, 1, -1, 0, 0, 0, 1));
}

TEST(AvatarObjTest, AHollowPolygonKeepsItsShape) {
  // An arrow head: a fan from its first corner would cover the notch.
  const auto avatar = Avatar::ParseObj("v 0 0 0\nv 2 -1 0\nv 0 3 0\nv -2 -1 0\nf 1 2 3 4\n", {});
  ASSERT_TRUE(avatar.ok()) << avatar.status();
  ASSERT_EQ(avatar->triangles().size(), 6u);
  double area = 0;
  for (size_t t = 0; t < 6; t += 3) {
    const auto at = [&](size_t corner, size_t c) {
      const size_t vertex = avatar->triangles()[t + corner];
      return static_cast<double>(avatar->vertices()[3 * vertex + c]);
    };
    const double twice = (at(1, 0) - at(0, 0)) * (at(2, 2) - at(0, 2)) -
                         (at(1, 2) - at(0, 2)) * (at(2, 0) - at(0, 0));
    EXPECT_GT(twice, 0);
    area += twice / 2;
  }
  EXPECT_NEAR(area, 6.0, 1e-6);
}

TEST(AvatarObjTest, WrongFilesAreRefused) {
  const auto message = [](const std::string& text) {
    const auto avatar = Avatar::ParseObj(text, {});
    EXPECT_EQ(avatar.status().code(), absl::StatusCode::kInvalidArgument) << text;
    return std::string(avatar.status().message());
  };
  EXPECT_THAT(message(""), HasSubstr("no faces"));
  EXPECT_THAT(message("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 9\n"), HasSubstr("vertex 9"));
  EXPECT_THAT(message("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 0\n"), HasSubstr("vertex 0"));
  EXPECT_THAT(message("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -9\n"), HasSubstr("vertex -9"));
  EXPECT_THAT(message("v 0 0 1e400\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"), HasSubstr("not finite"));
}

TEST(AvatarObjTest, ObjBecomesAGlbWithItsMaterialAndTexture) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "obj_to_glb";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "face.obj") << "mtllib face.mtl\nusemtl skin\n" << kSquare;
  std::ofstream(folder / "face.mtl") << "newmtl skin\nKd 0.5 0.25 1\nmap_Kd skin.png\n";
  std::ofstream(folder / "skin.png", std::ios::binary) << "\x89PNG\r\n\x1a\n";
  const auto avatar = Avatar::Read(folder / "face.obj", {});
  ASSERT_TRUE(avatar.ok()) << avatar.status();
  std::vector<float> offsets(12, 0.0f);
  offsets[7] = 0.25f;
  ASSERT_TRUE(avatar->Write(folder / "face.glb", {{"aa", offsets}}, {}).ok());
  std::ifstream in(folder / "face.glb", std::ios::binary);
  const testing::GlbParts file =
      testing::SplitGlb(std::string(std::istreambuf_iterator<char>(in), {}));
  const auto moved = testing::MorphedVertices(file, 0, 0, 0);
  ASSERT_THAT(moved, SizeIs(4));
  EXPECT_THAT(moved[2], ElementsAre(1, -0.75, 1));
  const auto& primitive = file.root["meshes"][0]["primitives"][0];
  // Texture rows count from the top in glTF.
  EXPECT_THAT(testing::AccessorNumbers(file, primitive["attributes"]["TEXCOORD_0"].get<size_t>()),
              ElementsAre(0, 1, 1, 1, 1, 0, 0, 0));
  const auto& pbr =
      file.root["materials"][primitive["material"].get<size_t>()]["pbrMetallicRoughness"];
  EXPECT_EQ(pbr["baseColorFactor"][1], 0.25);
  EXPECT_EQ(file.root["images"][0]["mimeType"], "image/png");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace blendwire::avatar

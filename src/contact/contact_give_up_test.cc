// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <random>
#include <vector>

#include "contact/contact.h"
#include "contact/testing/faces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::contact {
namespace {

using testing::BlinkField;
using ::testing::ElementsAreArray;
using testing::Face;
using ::testing::HasSubstr;
using testing::MakeFace;
using testing::MapOf;
using testing::Role;

constexpr Closure kAll{.left_lid = 1.0, .right_lid = 1.0, .lips = 1.0};

void ExpectKept(const Face& face, const std::vector<float>& field) {
  std::vector<float> offsets = field;
  const Result result = Close(MapOf(face), kAll, absl::MakeSpan(offsets));
  for (const Part part : {kLeftLid, kRightLid}) EXPECT_FALSE(result.closed[part]);
  EXPECT_THAT(offsets, ElementsAreArray(field));
}

TEST(GiveUp, WithoutAMap) {
  const ContactMap map;
  for (const Part part : {kLeftLid, kRightLid, kLips}) EXPECT_NE(map.why_not(part), "");
  std::vector<float> offsets = {1.0f, 2.0f, 3.0f};
  Close(map, kAll, absl::MakeSpan(offsets));
  EXPECT_THAT(offsets, ::testing::ElementsAre(1.0f, 2.0f, 3.0f));
}

TEST(GiveUp, WithoutMargins) {
  Face face = MakeFace();
  std::fill(face.margins.begin(), face.margins.end(), 0.02f);
  EXPECT_THAT(MapOf(face).why_not(kLeftLid), HasSubstr("not sure"));
  EXPECT_THAT(MapOf(face).why_not(kLips), HasSubstr("not sure"));
  ExpectKept(face, BlinkField(face, 0.5));
}

TEST(GiveUp, WithAnEyeThatIsClosedAlready) {
  Face face = MakeFace();
  face.cuts[kLeftLid].up = face.cuts[kLeftLid].down = 0.0003;
  face = MakeFace(face.cuts);
  const ContactMap map = MapOf(face);
  EXPECT_THAT(map.why_not(kLeftLid), HasSubstr("closed or too flat"));
  EXPECT_EQ(map.why_not(kRightLid), "");
}

TEST(GiveUp, WithOneEyeOnly) {
  Face face = MakeFace();
  for (size_t i = 0; i < face.size(); ++i) {
    if (face.what[i].part != kRightLid) continue;
    for (size_t k = 0; k < 4; ++k) face.margins[4 * i + k] = 0.0f;
  }
  EXPECT_THAT(MapOf(face).why_not(kLeftLid), HasSubstr("two eyes"));
  ExpectKept(face, BlinkField(face, 0.5));
}

TEST(GiveUp, WithMarginsAllOverTheLids) {
  Face face = MakeFace();
  for (const Part part : {kLeftLid, kRightLid}) {
    face.cuts[part].up = 0.0035;
    face.cuts[part].down = 0.002;
  }
  face = MakeFace(face.cuts);
  std::mt19937 random(7);
  for (size_t i = 0; i < face.size(); ++i) {
    const testing::Vertex& what = face.what[i];
    if (what.part == kLips || what.row > 7 || what.column < 0 || what.column > 20) continue;
    const float value = 0.6f + 0.4f * static_cast<float>(random() % 1000) / 1000.0f;
    face.margins[4 * i + kUpperLid] = what.role == Role::kUpper ? value : 0.0f;
    face.margins[4 * i + kLowerLid] = what.role == Role::kLower ? value : 0.0f;
  }
  EXPECT_THAT(MapOf(face).why_not(kLeftLid), HasSubstr("blurred"));
  ExpectKept(face, BlinkField(face, 0.5));
}

TEST(GiveUp, WithALowerRimThatIsSomethingElse) {
  Face face = MakeFace();
  for (const Part part : {kLeftLid, kRightLid}) face.cuts[part].skin = 0.03;
  face = MakeFace(face.cuts);
  for (size_t i = 0; i < face.size(); ++i) {  // half on the rim, half far down the cheek
    const testing::Vertex& what = face.what[i];
    if (what.part == kLips || what.role != Role::kLower) continue;
    const bool on_line = what.row == (what.column < 10 ? 0 : 10);
    face.margins[4 * i + kLowerLid] = on_line ? 1.0f : 0.0f;
  }
  EXPECT_THAT(MapOf(face).why_not(kLeftLid), HasSubstr("do not look like an eye"));
  ExpectKept(face, BlinkField(face, 0.5));
}

TEST(GiveUp, WhenOnlyOneOfTwoEyesCanBeClosed) {
  Face face = MakeFace();
  face.cuts[kLeftLid].up = face.cuts[kLeftLid].down = 0.0003;
  face = MakeFace(face.cuts);
  const std::vector<float> field = BlinkField(face, 0.5);
  ExpectKept(face, field);
  std::vector<float> wink = field;
  EXPECT_TRUE(Close(MapOf(face), {.right_lid = 1.0}, absl::MakeSpan(wink)).closed[kRightLid]);
  std::vector<float> offsets = field;
  const Result result = Close(MapOf(face), kAll, absl::MakeSpan(offsets));
  EXPECT_TRUE(result.gave_up[kRightLid]);
  EXPECT_FALSE(result.gave_up[kLeftLid]);  // there was nothing to give up
}

TEST(GiveUp, WhenItWouldFoldTheSkin) {
  Face face = MakeFace();
  // Crumpled skin, of which the field moves the rims only.
  std::vector<float> field = BlinkField(face, 0.5);
  std::mt19937 random(3);
  for (size_t i = 0; i < face.size(); ++i) {
    const testing::Vertex& what = face.what[i];
    if (what.part == kLips || what.row == 0) continue;
    face.vertices[3 * i + 2] += 0.004f * static_cast<float>(random() % 1000) / 1000.0f - 0.002f;
    face.vertices[3 * i] += 0.004f * static_cast<float>(random() % 1000) / 1000.0f - 0.002f;
    for (size_t k = 0; k < 3; ++k) field[3 * i + k] = 0.0f;
  }
  std::vector<float> offsets = field;
  const Result result = Close(MapOf(face), kAll, absl::MakeSpan(offsets));
  const size_t plain = testing::Folds(face, field);
  EXPECT_EQ(result.gave_up[kLeftLid], result.gave_up[kRightLid]);
  if (result.gave_up[kLeftLid]) {
    EXPECT_THAT(offsets, ElementsAreArray(field));
  }
  // Refused, or mended: never much worse than the field.
  EXPECT_LE(testing::Folds(face, offsets), plain + 4 + 2 * face.triangles.size() / 300);
}

TEST(GiveUp, WhenTheFieldDoesNotCloseTheLidsFarEnoughByItself) {
  const Face face = MakeFace();
  const Closure smile{.left_lid = 1.0, .right_lid = 1.0, .least_own_lids = 0.5};
  for (const double own : {0.3, 0.45}) {
    const std::vector<float> field = BlinkField(face, own);
    std::vector<float> offsets = field;
    const Result result = Close(MapOf(face), smile, absl::MakeSpan(offsets));
    EXPECT_TRUE(result.gave_up[kLeftLid] && result.gave_up[kRightLid]);
    EXPECT_THAT(offsets, ElementsAreArray(field));
  }
  std::vector<float> offsets = BlinkField(face, 0.6);
  const Result result = Close(MapOf(face), smile, absl::MakeSpan(offsets));
  EXPECT_TRUE(result.closed[kLeftLid] && result.closed[kRightLid]);
  EXPECT_NEAR(testing::GapAt(face, kLeftLid, 10, offsets), 0.0, 6e-4);

  // At half the weight the field closes half as far, and half of it is asked.
  Closure half = smile;
  half.left_lid = half.right_lid = 0.5;
  std::vector<float> weak = BlinkField(face, 0.3);
  EXPECT_TRUE(Close(MapOf(face), half, absl::MakeSpan(weak)).closed[kLeftLid]);
}

TEST(GiveUp, NothingToClose) {
  const Face face = MakeFace();
  const std::vector<float> field = BlinkField(face, 0.5);
  std::vector<float> offsets = field;
  const Result result = Close(MapOf(face), {}, absl::MakeSpan(offsets));
  for (int part = 0; part < kParts; ++part) {
    EXPECT_FALSE(result.closed[part] || result.gave_up[part]);
  }
  EXPECT_THAT(offsets, ElementsAreArray(field));
}

TEST(GiveUp, AMeshWithoutTrianglesIsClosedWithoutLookingForFolds) {
  const Face face = MakeFace();
  const testing::Neighbourhood neighbourhood(face);
  Surface surface = neighbourhood.surface(face);
  surface.triangles = {};
  const ContactMap map = ContactMap::Build(surface, face.margins);
  std::vector<float> offsets = BlinkField(face, 0.5);
  EXPECT_TRUE(Close(map, kAll, absl::MakeSpan(offsets)).closed[kLeftLid]);
  for (int column = 0; column <= 20; ++column) {
    EXPECT_NEAR(testing::GapAt(face, kLeftLid, column, offsets), 0.0, 7e-4);
  }
}

}  // namespace
}  // namespace blendwire::contact

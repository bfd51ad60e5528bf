// SPDX-License-Identifier: Apache-2.0

#include <vector>

#include "contact/contact.h"
#include "contact/testing/faces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::contact {
namespace {

using ::testing::ElementsAreArray;
using testing::Face;
using testing::GapAt;
using testing::LipField;
using testing::MakeFace;
using testing::MapOf;
using testing::Role;

constexpr Closure kSeal{.lips = 1.0};

std::vector<float> Sealed(const Face& face, const Closure& closure, std::vector<float> offsets) {
  Close(MapOf(face), closure, absl::MakeSpan(offsets));
  return offsets;
}

double WidthOf(const Face& face) { return 2.0 * face.cuts[kLips].half_width; }

TEST(Lips, AGapIsSealedInEveryColumn) {
  const Face face = MakeFace();
  for (const double apart : {0.002, 0.006}) {
    const std::vector<float> offsets = Sealed(face, kSeal, LipField(face, apart));
    for (int column = 0; column <= 20; ++column) {
      EXPECT_NEAR(GapAt(face, kLips, column, offsets), 0.0, 0.012 * WidthOf(face)) << column;
    }
    EXPECT_EQ(testing::Folds(face, offsets), 0U);
  }
}

TEST(Lips, BothLipsGoHalfTheWay) {
  const Face face = MakeFace();
  const std::vector<float> offsets = Sealed(face, kSeal, LipField(face, 0.006));
  const size_t upper = face.Find(kLips, Role::kUpper, 10, 0);
  const size_t lower = face.Find(kLips, Role::kLower, 10, 0);
  EXPECT_NEAR(offsets[3 * upper + 2], 0.0, 4e-4);
  EXPECT_NEAR(offsets[3 * lower + 2], 0.0, 4e-4);
}

TEST(Lips, LipsThatStaySealedKeepTheirBits) {
  const Face face = MakeFace();
  std::vector<float> field(face.vertices.size());
  for (size_t i = 0; i < face.size(); ++i) {  // the whole mouth forward and up
    field[3 * i + 1] = -0.002f;
    field[3 * i + 2] = 0.001f;
  }
  EXPECT_THAT(Sealed(face, kSeal, field), ElementsAreArray(field));
}

TEST(Lips, LipsMayBePressedTogetherButNotThroughEachOther) {
  const Face face = MakeFace();
  const std::vector<float> pressed = LipField(face, -0.002);
  EXPECT_THAT(Sealed(face, kSeal, pressed), ElementsAreArray(pressed));
  const std::vector<float> offsets = Sealed(face, kSeal, LipField(face, -0.010));
  EXPECT_GT(GapAt(face, kLips, 10, offsets), -0.075 * WidthOf(face));
}

TEST(Lips, AMouthAJarAtRestIsClosed) {
  std::array<testing::Cut, kParts> cuts = MakeFace().cuts;
  cuts[kLips].up = cuts[kLips].down = 0.001;
  const Face face = MakeFace(cuts);
  const std::vector<float> offsets =
      Sealed(face, kSeal, std::vector<float>(face.vertices.size(), 0.0f));
  for (int column = 0; column <= 20; ++column) {
    EXPECT_NEAR(GapAt(face, kLips, column, offsets), 0.0, 0.015 * WidthOf(face)) << column;
  }
}

TEST(Lips, AMouthThatIsOpenAtRestIsLeftAlone) {
  std::array<testing::Cut, kParts> cuts = MakeFace().cuts;
  cuts[kLips].up = cuts[kLips].down = 0.008;
  const Face face = MakeFace(cuts);
  EXPECT_THAT(MapOf(face).why_not(kLips), ::testing::HasSubstr("open at rest"));
  const std::vector<float> field = LipField(face, 0.003);
  EXPECT_THAT(Sealed(face, kSeal, field), ElementsAreArray(field));
}

TEST(Lips, HalfASealIsHalfTheCorrection) {
  const Face face = MakeFace();
  const std::vector<float> field = LipField(face, 0.004);
  const std::vector<float> whole = Sealed(face, kSeal, field);
  std::vector<float> half = field;
  for (float& value : half) value *= 0.5f;
  half = Sealed(face, {.lips = 0.5}, half);
  for (size_t i = 0; i < half.size(); ++i) EXPECT_NEAR(half[i], 0.5 * double{whole[i]}, 1e-8);
}

TEST(Lips, TeethAndLidsKeepTheirField) {
  Face face = MakeFace();
  const uint32_t teeth = testing::AddPatch(face, {0.0, 0.004, -0.06}, 0.012);
  std::vector<float> field = LipField(face, 0.005);
  for (uint32_t i = teeth; i < teeth + 4; ++i) field[3 * i + 2] = 0.0007f;
  const std::vector<float> offsets = Sealed(face, kSeal, field);
  for (size_t i = 0; i < face.size(); ++i) {
    if (face.what[i].part == kLips) continue;
    for (size_t k = 0; k < 3; ++k) EXPECT_EQ(offsets[3 * i + k], field[3 * i + k]);
  }
}

}  // namespace
}  // namespace blendwire::contact

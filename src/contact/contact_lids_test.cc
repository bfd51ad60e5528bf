// SPDX-License-Identifier: Apache-2.0

#include <cmath>
#include <vector>

#include "contact/contact.h"
#include "contact/internal/face_map.h"
#include "contact/testing/faces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::contact {
namespace {

using testing::BlinkField;
using testing::Face;
using testing::Folds;
using testing::GapAt;
using testing::MakeFace;
using testing::MapOf;
using testing::Point;
using testing::Role;

constexpr Closure kBlink{.left_lid = 1.0, .right_lid = 1.0};

std::vector<float> Closed(const Face& face, const Closure& closure, std::vector<float> offsets) {
  Close(MapOf(face), closure, absl::MakeSpan(offsets));
  return offsets;
}

double OpeningOf(const Face& face, Part part) { return face.cuts[part].up + face.cuts[part].down; }

void ExpectClosed(const Face& face, Part part, const std::vector<float>& offsets,
                  double tolerance = 0.04) {
  for (int column = 0; column <= face.cuts[part].columns; ++column) {
    EXPECT_NEAR(GapAt(face, part, column, offsets), 0.0, tolerance * OpeningOf(face, part))
        << "part " << part << ", column " << column;
  }
}

TEST(Lids, FindsBothEyes) {
  const ContactMap map = MapOf(MakeFace());
  for (const Part part : {kLeftLid, kRightLid, kLips}) EXPECT_EQ(map.why_not(part), "");
}

TEST(Lids, AMapKnowsItsMemory) {
  const Face face = MakeFace();
  Face larger = face;
  testing::AddLash(larger, kLeftLid, true, 5);
  testing::AddPatch(larger, {0.0, 0.0, 0.3}, 0.1);  // far away: not part of the map
  EXPECT_GT(MapOf(face).memory_bytes(), face.size() * sizeof(double) * 3);
  EXPECT_GT(MapOf(larger).memory_bytes(), MapOf(face).memory_bytes());
  EXPECT_LT(MapOf(larger).memory_bytes(), MapOf(face).memory_bytes() + 4096);
}

TEST(Lids, MeetInEveryColumnAfterABlinkOfAnyStrength) {
  const Face face = MakeFace();
  for (const double strength : {0.15, 0.5, 0.8, 1.0, 1.3}) {
    const std::vector<float> field = BlinkField(face, strength);
    const std::vector<float> offsets = Closed(face, kBlink, field);
    // Lids that pass each other a little have met.
    const double tolerance = strength > 1.0 ? 0.1 : 0.04;
    for (const Part part : {kLeftLid, kRightLid}) ExpectClosed(face, part, offsets, tolerance);
    EXPECT_LE(Folds(face, offsets), Folds(face, field)) << "strength " << strength;
  }
}

TEST(Lids, MeetWhenTheFieldIsUneven) {
  const Face face = MakeFace();
  std::vector<float> field = BlinkField(face, 0.7);
  for (size_t i = 0; i < face.size(); ++i) {  // wavy, and weaker towards one corner
    field[3 * i + 2] *=
        static_cast<float>(1.0 + 0.2 * std::sin(face.what[i].column) - 0.02 * face.what[i].column);
  }
  const std::vector<float> offsets = Closed(face, kBlink, field);
  for (const Part part : {kLeftLid, kRightLid}) ExpectClosed(face, part, offsets, 0.06);
  EXPECT_EQ(Folds(face, offsets), 0U);
}

TEST(Lids, AFieldThatClosesTheEyeIsHardlyTouched) {
  const Face face = MakeFace();
  const std::vector<float> field = BlinkField(face, 0.9, 0.1);
  const std::vector<float> offsets = Closed(face, kBlink, field);
  for (size_t i = 0; i < field.size(); ++i) {
    EXPECT_NEAR(offsets[i], field[i], 0.08 * OpeningOf(face, kLeftLid));
  }
}

TEST(Lids, LidsThatHaveMetAreHardlyMovedWhereRimsAreBlurred) {
  Face face = MakeFace();
  testing::BlurMargins(face, 0.004);
  for (const double strength : {1.0, 1.1}) {
    const std::vector<float> field = BlinkField(face, strength);
    const std::vector<float> offsets = Closed(face, kBlink, field);
    for (size_t i = 0; i < field.size(); ++i) {
      EXPECT_NEAR(offsets[i], field[i], 0.1 * OpeningOf(face, kLeftLid)) << strength;
    }
  }
}

TEST(Lids, AVertexTakenForARimIsNotTornFromItsNeighbours) {
  Face face = MakeFace();
  testing::BlurMargins(face, 0.004);
  const uint32_t stray = face.Find(kLeftLid, Role::kUpper, 10, 2);
  face.margins[4 * stray] = 1.0f;
  const std::vector<float> field = BlinkField(face, 0.75);
  const std::vector<float> offsets = Closed(face, kBlink, field);
  const auto added = [&](uint32_t i) { return offsets[3 * i + 2] - field[3 * i + 2]; };
  const double across = 0.5 * (added(face.Find(kLeftLid, Role::kUpper, 9, 2)) +
                               added(face.Find(kLeftLid, Role::kUpper, 11, 2)));
  EXPECT_NEAR(added(stray), across, 0.05 * OpeningOf(face, kLeftLid));
  EXPECT_LT(across, -0.05 * OpeningOf(face, kLeftLid));
}

TEST(Lids, TheUpperLidStaysAboveTheLowerOne) {
  const Face face = MakeFace();
  const std::vector<float> offsets = Closed(face, kBlink, BlinkField(face, 1.6));
  for (const Part part : {kLeftLid, kRightLid}) {
    for (int column = 1; column < face.cuts[part].columns; ++column) {
      const size_t lower = face.Find(part, Role::kLower, column, 0);
      const double floor = face.at(lower)[2] + double{offsets[3 * lower + 2]};
      for (int row = 0; row <= face.cuts[part].rows; ++row) {
        const size_t upper = face.Find(part, Role::kUpper, column, row);
        EXPECT_GT(face.at(upper)[2] + double{offsets[3 * upper + 2]},
                  floor - 0.05 * OpeningOf(face, part));
      }
    }
  }
}

TEST(Lids, ATurnedScaledAndShiftedHeadIsClosedAlike) {
  const Face face = MakeFace();
  const std::vector<float> field = BlinkField(face, 0.6);
  const std::vector<float> straight = Closed(face, kBlink, field);
  const Point axis = {0.4, 0.3, 0.8};
  const Face moved = testing::Moved(face, axis, 25.0, 3.0, {0.5, -2.0, 1.6});
  const std::vector<float> offsets = Closed(moved, kBlink, testing::Turned(field, axis, 25.0, 3.0));
  const std::vector<float> expected = testing::Turned(straight, axis, 25.0, 3.0);
  for (size_t i = 0; i < offsets.size(); ++i) EXPECT_NEAR(offsets[i], expected[i], 3e-4) << i;
}

TEST(Lids, EyesThatAreUnlikeAreEachClosed) {
  Face face = MakeFace();
  face.cuts[kLeftLid].half_width = 0.020;
  face.cuts[kLeftLid].up = 0.016;
  face.cuts[kLeftLid].down = 0.012;
  face.cuts[kRightLid].up = 0.005;
  face.cuts[kRightLid].down = 0.003;
  face = MakeFace(face.cuts);
  const std::vector<float> offsets = Closed(face, kBlink, BlinkField(face, 0.6));
  for (const Part part : {kLeftLid, kRightLid}) ExpectClosed(face, part, offsets);
}

TEST(Lids, LargeEyesCloseToEachOtherAreTwo) {
  Face face = MakeFace();
  for (const Part part : {kLeftLid, kRightLid}) {
    face.cuts[part].half_width = 0.024;
    face.cuts[part].up = 0.016;
    face.cuts[part].down = 0.014;
  }
  face = MakeFace(face.cuts);
  for (const double blur : {0.0015, 0.003, 0.005}) {  // the widest reaches over the nose
    testing::BlurMargins(face, blur);
    const ContactMap map = MapOf(face);
    for (const Part part : {kLeftLid, kRightLid}) {
      EXPECT_EQ(map.why_not(part), "") << blur;
      EXPECT_LT(map.internals().eyes[part].rims.width, 0.05 + 2.0 * blur);
    }
    const std::vector<float> offsets = Closed(face, kBlink, BlinkField(face, 0.6));
    for (const Part part : {kLeftLid, kRightLid}) {
      ExpectClosed(face, part, offsets, 0.06 + 20.0 * (blur - 0.0015));
    }
  }
}

TEST(Lids, OneEyeClosesAndTheOtherKeepsItsField) {
  const Face face = MakeFace();
  const std::vector<float> field = BlinkField(face, 0.6);
  const std::vector<float> offsets = Closed(face, {.left_lid = 1.0}, field);
  ExpectClosed(face, kLeftLid, offsets);
  for (size_t i = 0; i < face.size(); ++i) {
    if (face.what[i].part == kLeftLid) continue;
    for (size_t k = 0; k < 3; ++k) EXPECT_EQ(offsets[3 * i + k], field[3 * i + k]);
  }
}

TEST(Lids, APartOfAnExpressionIsThatPartOfIt) {
  const Face face = MakeFace();
  const std::vector<float> field = BlinkField(face, 0.6, 0.05);
  const std::vector<float> whole = Closed(face, kBlink, field);
  for (const double share : {0.1, 0.37, 0.5}) {
    std::vector<float> part = field;
    for (float& value : part) value *= static_cast<float>(share);
    part = Closed(face, {.left_lid = share, .right_lid = share}, part);
    for (size_t i = 0; i < whole.size(); ++i) {
      EXPECT_NEAR(part[i], share * double{whole[i]}, 2e-8) << i;
    }
  }
}

TEST(Lids, HappyEyesMeetInTheMiddleInAnArc) {
  const Face face = MakeFace();
  const std::vector<float> offsets = Closed(face, kBlink, BlinkField(face, 0.25, 0.25));
  ExpectClosed(face, kLeftLid, offsets);
  const auto height = [&](int column) {
    const size_t rim = face.Find(kLeftLid, Role::kUpper, column, 0);
    return (face.at(rim)[2] + double{offsets[3 * rim + 2]} + face.cuts[kLeftLid].down) /
           OpeningOf(face, kLeftLid);
  };
  EXPECT_GT(height(10), 0.35);  // of the opening, from the bottom
  EXPECT_LT(height(10), 0.65);
  EXPECT_GT(height(10), 0.5 * (height(3) + height(17)));
}

TEST(Lids, ABlinkOfAFlatEyeMeetsAtTheLowerLid) {
  Face face = MakeFace();
  for (const Part part : {kLeftLid, kRightLid}) {
    face.cuts[part].up = 0.005;
    face.cuts[part].down = 0.003;
  }
  face = MakeFace(face.cuts);
  const std::vector<float> offsets = Closed(face, kBlink, BlinkField(face, 0.6));
  for (int column = 0; column <= 20; ++column) {
    const size_t lower = face.Find(kLeftLid, Role::kLower, column, 0);
    EXPECT_NEAR(offsets[3 * lower + 2], 0.0, 0.12 * OpeningOf(face, kLeftLid));
  }
}

TEST(Lids, TheLidSlidesOverTheEye) {
  Face face = MakeFace();
  constexpr double kBulge = 0.002;
  testing::AddEyeball(face, kLeftLid, kBulge);
  const std::vector<float> offsets = Closed(face, {.left_lid = 1.0}, BlinkField(face, 0.6));
  ExpectClosed(face, kLeftLid, offsets);
  const testing::Cut& cut = face.cuts[kLeftLid];
  for (int row = 0; row < 4; ++row) {  // these come to lie in what was the opening
    const size_t i = face.Find(kLeftLid, Role::kUpper, 10, row);
    const double z = face.at(i)[2] + double{offsets[3 * i + 2]};
    const double share = (z + cut.down) / OpeningOf(face, kLeftLid);
    if (share <= 0.05 || share >= 0.95) continue;
    const double out = -(face.at(i)[1] + double{offsets[3 * i + 1]});
    EXPECT_GT(out, 0.9 * kBulge * 4.0 * share * (1.0 - share)) << "row " << row;
  }
}

TEST(Lids, VerticesAtOnePositionGetOneOffset) {
  Face face = MakeFace();
  // A seam up the left lid: every vertex of a column once more, for the triangles on its right.
  std::vector<std::pair<uint32_t, uint32_t>> copies;
  for (int row = 0; row <= face.cuts[kLeftLid].rows; ++row) {
    const uint32_t original = face.Find(kLeftLid, Role::kUpper, 8, row);
    const auto copy = static_cast<uint32_t>(face.size());
    for (size_t k = 0; k < 3; ++k) face.vertices.push_back(face.vertices[3 * original + k]);
    for (size_t k = 0; k < 4; ++k) face.margins.push_back(face.margins[4 * original + k]);
    face.what.push_back(face.what[original]);
    copies.emplace_back(original, copy);
  }
  std::vector<float> field = BlinkField(face, 0.6);
  for (const auto& [original, copy] : copies) field[3 * copy + 2] *= 0.8f;  // the model tore it
  const std::vector<float> offsets = Closed(face, kBlink, field);
  for (const auto& [original, copy] : copies) {
    for (size_t k = 0; k < 3; ++k) EXPECT_EQ(offsets[3 * original + k], offsets[3 * copy + k]);
  }
  ExpectClosed(face, kLeftLid, offsets, 0.06);
}

TEST(Lids, WhatIsFarFromTheRimsKeepsItsBits) {
  Face face = MakeFace();
  const uint32_t far = testing::AddPatch(face, {0.0, 0.05, 0.12}, 0.05);
  std::vector<float> field = BlinkField(face, 0.6);
  for (size_t i = 3 * far; i < field.size(); ++i)
    field[i] = 0.01f * static_cast<float>(i % 7) + 1e-3f;
  const std::vector<float> offsets = Closed(face, kBlink, field);
  for (size_t i = 3 * far; i < field.size(); ++i) EXPECT_EQ(offsets[i], field[i]);
}

TEST(Lids, TheSameInputGivesTheSameBits) {
  Face face = MakeFace();
  testing::AddEyeball(face, kRightLid, 0.001);
  testing::AddLash(face, kLeftLid, true, 7);
  const std::vector<float> field = BlinkField(face, 0.43, 0.11);
  const std::vector<float> first = Closed(face, kBlink, field);
  EXPECT_THAT(Closed(face, kBlink, field), ::testing::ElementsAreArray(first));
  const ContactMap map = MapOf(face);  // and one map serves many
  for (int i = 0; i < 2; ++i) {
    std::vector<float> offsets = field;
    Close(map, kBlink, absl::MakeSpan(offsets));
    EXPECT_THAT(offsets, ::testing::ElementsAreArray(first));
  }
}

TEST(Lids, ASymmetricHeadIsClosedSymmetrically) {
  const Face face = MakeFace();
  constexpr double kTolerance = 3e-4;  // the triangles' diagonals are not symmetric
  const std::vector<float> offsets = Closed(face, kBlink, BlinkField(face, 0.6));
  for (int column = 0; column <= 20; ++column) {
    for (int row = 0; row <= 10; ++row) {
      const size_t left = face.Find(kLeftLid, Role::kUpper, column, row);
      const size_t right = face.Find(kRightLid, Role::kUpper, 20 - column, row);
      EXPECT_NEAR(offsets[3 * left], -offsets[3 * right], kTolerance);
      EXPECT_NEAR(offsets[3 * left + 1], offsets[3 * right + 1], kTolerance);
      EXPECT_NEAR(offsets[3 * left + 2], offsets[3 * right + 2], kTolerance);
    }
  }
}

}  // namespace
}  // namespace blendwire::contact

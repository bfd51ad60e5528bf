// SPDX-License-Identifier: Apache-2.0

#include <vector>

#include "contact/contact.h"
#include "contact/testing/faces.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::contact {
namespace {

using testing::BlinkField;
using testing::Face;
using testing::MakeFace;
using testing::MapOf;
using testing::Role;

constexpr Closure kBlink{.left_lid = 1.0, .right_lid = 1.0};

// The field of a blink in which everything that is not skin goes its own wrong way, backwards.
std::vector<float> FieldWithStrayLashes(const Face& face, double strength) {
  std::vector<float> field = BlinkField(face, strength, 0.1);
  for (size_t i = 0; i < face.size(); ++i) {
    if (face.what[i].role == Role::kLash) field[3 * i + 1] = 0.003f;
  }
  return field;
}

void ExpectFollows(const Face& face, uint32_t lash, uint32_t rim, const std::vector<float>& offsets,
                   double tolerance) {
  for (size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(offsets[3 * lash + k], offsets[3 * rim + k], tolerance) << "axis " << k;
    for (uint32_t i = 1; i < 4; ++i) {
      EXPECT_NEAR(offsets[3 * (lash + i) + k], offsets[3 * lash + k], 1e-7) << "not rigid";
    }
  }
  EXPECT_EQ(face.what[lash].role, Role::kLash);
}

TEST(Strips, LashesFollowTheRimTheyStandOn) {
  Face face = MakeFace();
  for (const Part part : {kLeftLid, kRightLid}) {
    for (const bool upper : {true, false}) {
      for (const int column : {3, 10, 16}) testing::AddLash(face, part, upper, column);
    }
  }
  const double opening = face.cuts[kLeftLid].up + face.cuts[kLeftLid].down;
  for (const Closure& closure : {kBlink, Closure{}}) {  // closed or not
    std::vector<float> offsets = FieldWithStrayLashes(face, 0.6);
    Close(MapOf(face), closure, absl::MakeSpan(offsets));
    for (uint32_t i = 0; i < face.size(); ++i) {
      if (face.what[i].role != Role::kLash || (i > 0 && face.what[i - 1].role == Role::kLash &&
                                               face.what[i - 1].column == face.what[i].column &&
                                               face.what[i - 1].row == face.what[i].row &&
                                               face.what[i - 1].part == face.what[i].part)) {
        continue;
      }
      const testing::Vertex& lash = face.what[i];
      const uint32_t rim = face.Find(static_cast<Part>(lash.part),
                                     lash.row == 0 ? Role::kUpper : Role::kLower, lash.column, 0);
      ExpectFollows(face, i, rim, offsets, 0.1 * opening);
    }
  }
}

TEST(Strips, ALashNeverMovesBackwardsThroughTheLid) {
  Face face = MakeFace();
  const uint32_t lash = testing::AddLash(face, kLeftLid, true, 10);
  std::vector<float> offsets = FieldWithStrayLashes(face, 0.8);
  Close(MapOf(face), kBlink, absl::MakeSpan(offsets));
  for (uint32_t i = 0; i < 4; ++i) EXPECT_LT(offsets[3 * (lash + i) + 1], 2e-4);  // y is back
}

TEST(Strips, BrowsAndEyesKeepTheirField) {
  Face face = MakeFace();
  const auto eye = static_cast<uint32_t>(face.size());
  testing::AddEyeball(face, kLeftLid, 0.001);
  const auto after_eye = static_cast<uint32_t>(face.size());
  const uint32_t brow = testing::AddPatch(face, {0.032, -0.001, 0.022}, 0.006);
  // A highlight, on the eye and behind the lids.
  const uint32_t light = testing::AddPatch(face, {0.034, 0.0005, 0.003}, 0.002);
  std::vector<float> field = BlinkField(face, 0.7);
  for (uint32_t i = eye; i < face.size(); ++i) field[3 * i] = 1e-4f * static_cast<float>(i % 5);
  std::vector<float> offsets = field;
  Close(MapOf(face), kBlink, absl::MakeSpan(offsets));
  const auto expect_kept = [&](uint32_t from, uint32_t to) {
    for (size_t i = 3 * size_t{from}; i < 3 * size_t{to}; ++i)
      EXPECT_EQ(offsets[i], field[i]) << i / 3;
  };
  expect_kept(eye, after_eye);
  expect_kept(brow, brow + 4);
  expect_kept(light, light + 4);
}

TEST(Strips, ALashThatGoesAlongKeepsItsOwnField) {
  Face face = MakeFace();
  const uint32_t lash = testing::AddLash(face, kLeftLid, true, 10);
  const uint32_t rim = face.Find(kLeftLid, Role::kUpper, 10, 0);
  std::vector<float> field = BlinkField(face, 0.6);
  for (uint32_t i = lash; i < lash + 4; ++i) {  // as its rim, and fanning out
    for (uint32_t k = 0; k < 3; ++k) field[3 * i + k] = field[3 * rim + k];
    field[3 * i] += 2e-4f * static_cast<float>(i - lash);
  }
  std::vector<float> offsets = field;
  Close(MapOf(face), {}, absl::MakeSpan(offsets));
  for (size_t i = 3 * size_t{lash}; i < 3 * size_t{lash} + 12; ++i) {
    EXPECT_NEAR(offsets[i], field[i], 1e-8);
  }
  // Closed, all of it gets what its rim gets more.
  offsets = field;
  Close(MapOf(face), kBlink, absl::MakeSpan(offsets));
  const float more = offsets[3 * rim + 2] - field[3 * rim + 2];
  EXPECT_LT(more, -0.003f);
  for (uint32_t i = lash; i < lash + 4; ++i) {
    EXPECT_NEAR(offsets[3 * i + 2] - field[3 * i + 2], more, 1e-3);
    EXPECT_NEAR(offsets[3 * i] - field[3 * i], offsets[3 * lash] - field[3 * lash], 1e-7);
  }
}

TEST(Strips, AHighlightBesideTheRimIsNoLash) {
  Face face = MakeFace();
  // A little before the skin, but between the rims: its upper edge all but touches the upper one.
  const uint32_t light = testing::AddPatch(face, {0.032, -0.0004, 0.0075}, 0.002);
  for (uint32_t i = light; i < light + 4; ++i) face.margins[4 * i] = 0.5f;
  const std::vector<float> field = BlinkField(face, 0.7);
  std::vector<float> offsets = field;
  Close(MapOf(face), kBlink, absl::MakeSpan(offsets));
  for (size_t i = 3 * size_t{light}; i < field.size(); ++i) EXPECT_EQ(offsets[i], field[i]);
}

TEST(Strips, ALinerAlongTheWholeLidKeepsToIt) {
  Face face = MakeFace();
  // Two rows of vertices of its own along the upper rim, a little before the skin.
  const auto first = static_cast<uint32_t>(face.size());
  for (int column = 0; column <= 20; ++column) {
    for (int row = 0; row < 2; ++row) {
      const testing::Point p = face.at(face.Find(kLeftLid, Role::kUpper, column, row));
      face.vertices.insert(
          face.vertices.end(),
          {static_cast<float>(p[0]), static_cast<float>(p[1] - 4e-4), static_cast<float>(p[2])});
      face.margins.insert(face.margins.end(), {0.8f, 0.0f, 0.0f, 0.0f});
      face.what.push_back({Role::kLash, kLeftLid, column, row});
    }
  }
  for (uint32_t column = 0; column < 20; ++column) {
    const uint32_t a = first + 2 * column;
    face.triangles.insert(face.triangles.end(), {a, a + 2, a + 3, a, a + 3, a + 1});
  }
  std::vector<float> offsets = FieldWithStrayLashes(face, 0.5);
  Close(MapOf(face), kBlink, absl::MakeSpan(offsets));
  const double opening = face.cuts[kLeftLid].up + face.cuts[kLeftLid].down;
  for (int column = 2; column <= 18; ++column) {
    const uint32_t rim = face.Find(kLeftLid, Role::kUpper, column, 0);
    const uint32_t liner = first + 2 * static_cast<uint32_t>(column);
    for (size_t k = 0; k < 3; ++k) {
      EXPECT_NEAR(offsets[3 * liner + k], offsets[3 * rim + k], 0.12 * opening) << column;
    }
  }
}

}  // namespace
}  // namespace blendwire::contact

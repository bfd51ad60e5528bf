// SPDX-License-Identifier: Apache-2.0

#include "contact/internal/folds.h"

#include "gtest/gtest.h"

namespace blendwire::contact::internal {
namespace {

// A square of size x size nodes, 1 apart, in the plane z = 0.
class FoldsTest : public ::testing::Test {
 protected:
  void MakeSquare(uint32_t size) {
    for (uint32_t y = 0; y < size; ++y) {
      for (uint32_t x = 0; x < size; ++x) {
        positions_.push_back({static_cast<double>(x), static_cast<double>(y), 0.0});
      }
    }
    for (uint32_t y = 0; y + 1 < size; ++y) {
      for (uint32_t x = 0; x + 1 < size; ++x) {
        const uint32_t a = y * size + x;
        triangles_.push_back({a, a + 1, a + size + 1});
        triangles_.push_back({a, a + size + 1, a + size});
      }
    }
    field_.resize(positions_.size());
    pinned_.resize(positions_.size());
  }

  Skin skin(double scale = 1.0) const { return {positions_, triangles_, field_, scale}; }

  std::vector<Vector> positions_;
  std::vector<std::array<uint32_t, 3>> triangles_;
  std::vector<Vector> field_;
  std::vector<char> pinned_;
};

TEST_F(FoldsTest, AreCountedAtTheFullExpression) {
  MakeSquare(5);
  std::vector<Vector> offsets = field_;
  EXPECT_EQ(CountFolds(skin(), offsets), 0U);
  offsets[12] = {1.5, 0.0, 0.0};  // over its right neighbour
  const size_t folds = CountFolds(skin(), offsets);
  EXPECT_GT(folds, 0U);
  offsets[12] = {0.75, 0.0, 0.0};
  EXPECT_EQ(CountFolds(skin(), offsets), 0U);
  EXPECT_EQ(CountFolds(skin(2.0), offsets), folds);
}

TEST_F(FoldsTest, TearsAreEdgesFarLongerThanAtRestAndInTheField) {
  MakeSquare(5);
  std::vector<Vector> offsets = field_;
  offsets[24] = {1.0, 1.0, 0.0};  // the last corner: its sides are 2.2 long, the diagonal 2.8
  EXPECT_EQ(CountTears(skin(), offsets), 0U);
  offsets[24] = {2.0, 2.0, 0.0};  // sides 3.6 of 1, and the diagonal of two triangles 4.2 of 1.4
  EXPECT_EQ(CountTears(skin(), offsets), 4U);
  offsets[24] = {1.0, 1.0, 0.0};
  EXPECT_EQ(CountTears(skin(2.0), offsets), 4U);
  field_[24] = {0.9, 0.9, 0.0};  // then the field has them 3.3 and 4.0 long by itself
  EXPECT_EQ(CountTears(skin(2.0), offsets), 0U);
}

TEST_F(FoldsTest, AreMendedAroundWhatIsPinned) {
  MakeSquare(9);
  std::vector<Vector> solution = field_;
  solution[40] = {0.0, 1.1, 0.0};
  pinned_[40] = 1;
  ASSERT_GT(CountFolds(skin(), solution), 0U);
  MendFolds(skin(), pinned_, absl::MakeSpan(solution));
  EXPECT_EQ(CountFolds(skin(), solution), 0U);
  EXPECT_DOUBLE_EQ(solution[40].y, 1.1);
  EXPECT_DOUBLE_EQ(solution[0].y, 0.0);
}

TEST_F(FoldsTest, OfTheFieldItselfAreNotTouched) {
  MakeSquare(5);
  field_[12] = {1.5, 0.0, 0.0};
  std::vector<Vector> solution = field_;
  MendFolds(skin(), pinned_, absl::MakeSpan(solution));
  for (size_t i = 0; i < 25; ++i) EXPECT_DOUBLE_EQ(solution[i].x, field_[i].x);
}

TEST_F(FoldsTest, RelaxingEvensTheCorrectionAndNotTheField) {
  MakeSquare(7);
  for (size_t i = 0; i < 49; ++i) field_[i].z = static_cast<double>(i * i % 13);  // rough
  std::vector<Vector> solution = field_;
  RelaxCorrection(skin(), pinned_, 3, absl::MakeSpan(solution));
  for (size_t i = 0; i < 49; ++i) EXPECT_DOUBLE_EQ(solution[i].z, field_[i].z);

  pinned_[24] = 1;
  solution[24].z += 1.0;
  RelaxCorrection(skin(), pinned_, 3, absl::MakeSpan(solution));
  EXPECT_DOUBLE_EQ(solution[24].z - field_[24].z, 1.0);
  const double near = solution[25].z - field_[25].z;
  const double far = solution[26].z - field_[26].z;
  EXPECT_GT(near, far);
  EXPECT_GT(far, 0.0);
}

}  // namespace
}  // namespace blendwire::contact::internal

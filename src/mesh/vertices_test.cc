// SPDX-License-Identifier: Apache-2.0

#include "mesh/vertices.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace blendwire::mesh {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

void ExpectInvalid(const absl::Status& status, absl::string_view message) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), message);
}

TEST(ValidateVerticesTest, AcceptsAnyFiniteMesh) {
  EXPECT_TRUE(ValidateVertices({0.0f, 0.0f, 0.0f}, 1).ok());
  const float largest = std::numeric_limits<float>::max();
  const float smallest = std::numeric_limits<float>::denorm_min();
  EXPECT_TRUE(ValidateVertices({largest, -largest, smallest, -0.0f, 1.0f, 2.0f}, 2).ok());
  EXPECT_TRUE(ValidateVertices(std::vector<float>(3 * 5000, 1.5f), 5000).ok());
}

TEST(ValidateVerticesTest, SaysWhatIsWrongWithTheCount) {
  ExpectInvalid(ValidateVertices({}, 0),
                "vertices is empty, but must hold x, y and z of at least one vertex");
  ExpectInvalid(ValidateVertices({1, 2, 3, 4}, 1),
                "vertices has 4 values, but must have 3 (x, y, z) for each vertex");
  ExpectInvalid(ValidateVertices({1, 2, 3}, 2),
                "vertex_count is 2, but vertices has 3 values, which are 1 vertex");
  ExpectInvalid(ValidateVertices({1, 2, 3, 4, 5, 6}, 0),
                "vertex_count is 0, but vertices has 6 values, which are 2 vertices");
  ExpectInvalid(ValidateVertices({1, 2, 3}, -1),
                "vertex_count is -1, but vertices has 3 values, which are 1 vertex");
  // 3 * vertex_count would wrap around to the right number.
  EXPECT_FALSE(ValidateVertices({1, 2, 3}, int64_t{1} + (int64_t{1} << 62)).ok());
}

TEST(ValidateVerticesTest, NamesTheFirstValueThatIsNotFinite) {
  std::vector<float> vertices(3 * 2000, 0.5f);
  vertices[5999] = kNan;
  ExpectInvalid(ValidateVertices(vertices, 2000),
                "vertices[5999] is nan (z of vertex 1999), but must be finite");
  vertices[1024] = -kInf;
  ExpectInvalid(ValidateVertices(vertices, 2000),
                "vertices[1024] is -inf (y of vertex 341), but must be finite");
  vertices[0] = kInf;
  ExpectInvalid(ValidateVertices(vertices, 2000),
                "vertices[0] is inf (x of vertex 0), but must be finite");
}

TEST(AllFiniteTest, FindsABadValueAtEveryPlace) {
  EXPECT_TRUE(AllFinite({}));
  std::vector<float> values(2500, -1.0f);
  EXPECT_TRUE(AllFinite(values));
  for (size_t i = 0; i < values.size(); ++i) {
    for (const float bad : {kNan, -kNan, kInf, -kInf}) {
      values[i] = bad;
      ASSERT_FALSE(AllFinite(values)) << i;
    }
    values[i] = -1.0f;
  }
}

TEST(ValidateTrianglesTest, AcceptsNoneAndEveryIndexInRange) {
  EXPECT_TRUE(ValidateTriangles({}, 1).ok());
  EXPECT_TRUE(ValidateTriangles({0, 1, 2, 2, 1, 0}, 3).ok());
  EXPECT_TRUE(ValidateTriangles({1, 1, 1}, 2).ok());  // no area, but harmless
}

TEST(ValidateTrianglesTest, SaysWhatIsWrong) {
  ExpectInvalid(ValidateTriangles({0, 1, 2, 0}, 3),
                "triangles has 4 indices, but must have 3 for each triangle");
  std::vector<uint32_t> triangles(3 * 1000, 7u);
  triangles[1717] = 912;
  triangles[2000] = std::numeric_limits<uint32_t>::max();
  ExpectInvalid(ValidateTriangles(triangles, 900),
                "triangles[1717] is 912, but the mesh has 900 vertices (indices 0 to 899)");
  triangles[1717] = 900;
  EXPECT_FALSE(ValidateTriangles(triangles, 900).ok());
  triangles[1717] = 899;
  ExpectInvalid(ValidateTriangles(triangles, 900),
                "triangles[2000] is 4294967295, but the mesh has 900 vertices (indices 0 to 899)");
}

}  // namespace
}  // namespace blendwire::mesh

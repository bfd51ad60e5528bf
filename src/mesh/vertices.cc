// SPDX-License-Identifier: Apache-2.0

#include "mesh/vertices.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace blendwire::mesh {
namespace {

// The checks go block by block: within one the compiler may test many values at once, since nothing
// can end the loop early.
constexpr size_t kBlock = 1024;

// True for NaN and both infinities: all bits of the exponent are set. Kept in integers, since a
// build with -ffast-math may assume that there is no NaN.
bool IsNonFinite(float value) {
  constexpr uint32_t kExponent = 0x7f800000u;
  return (std::bit_cast<uint32_t>(value) & kExponent) == kExponent;
}

bool AnyNonFinite(const float* values, size_t count) {
  uint32_t any = 0;
  for (size_t i = 0; i < count; ++i) any |= static_cast<uint32_t>(IsNonFinite(values[i]));
  return any != 0;
}

// The first of `values` that `is_bad`; values.size() if there is none. `any_bad` is the same
// question for a whole block.
template <typename T, typename AnyBad, typename IsBad>
size_t FindFirst(absl::Span<const T> values, AnyBad any_bad, IsBad is_bad) {
  for (size_t begin = 0; begin < values.size(); begin += kBlock) {
    const absl::Span<const T> block = values.subspan(begin, kBlock);
    if (!any_bad(block.data(), block.size())) continue;
    return begin +
           static_cast<size_t>(std::find_if(block.begin(), block.end(), is_bad) - block.begin());
  }
  return values.size();
}

size_t FirstNonFinite(absl::Span<const float> values) {
  return FindFirst(values, AnyNonFinite, IsNonFinite);
}

}  // namespace

bool AllFinite(absl::Span<const float> values) { return FirstNonFinite(values) == values.size(); }

absl::Status ValidateVertices(absl::Span<const float> vertices, int64_t vertex_count) {
  if (vertices.empty()) {
    return absl::InvalidArgumentError(
        "vertices is empty, but must hold x, y and z of at least one vertex");
  }
  if (vertices.size() % 3 != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "vertices has ", vertices.size(), " values, but must have 3 (x, y, z) for each vertex"));
  }
  const size_t count = vertices.size() / 3;
  if (vertex_count < 0 || static_cast<uint64_t>(vertex_count) != count) {
    return absl::InvalidArgumentError(
        absl::StrCat("vertex_count is ", vertex_count, ", but vertices has ", vertices.size(),
                     " values, which are ", count, count == 1 ? " vertex" : " vertices"));
  }
  if (const size_t bad = FirstNonFinite(vertices); bad != vertices.size()) {
    const float value = vertices[bad];
    return absl::InvalidArgumentError(
        absl::StrCat("vertices[", bad, "] is ",
                     std::isnan(value) ? "nan"
                     : value > 0       ? "inf"
                                       : "-inf",
                     " (", absl::string_view("xyz").substr(bad % 3, 1), " of vertex ", bad / 3,
                     "), but must be finite"));
  }
  return absl::OkStatus();
}

absl::Status ValidateTriangles(absl::Span<const uint32_t> triangles, int64_t vertex_count) {
  if (triangles.size() % 3 != 0) {
    return absl::InvalidArgumentError(absl::StrCat("triangles has ", triangles.size(),
                                                   " indices, but must have 3 for each triangle"));
  }
  const auto is_bad = [vertex_count](uint32_t index) { return int64_t{index} >= vertex_count; };
  // The largest value decides for a block; compilers know how to find that quickly.
  const auto any_bad = [is_bad](const uint32_t* indices, size_t count) {
    uint32_t largest = 0;
    for (size_t i = 0; i < count; ++i) largest = std::max(largest, indices[i]);
    return is_bad(largest);
  };
  const size_t bad = FindFirst(triangles, any_bad, is_bad);
  if (bad == triangles.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("triangles[", bad, "] is ", triangles[bad], ", but the mesh has ", vertex_count,
                   " vertices (indices 0 to ", vertex_count - 1, ")"));
}

}  // namespace blendwire::mesh

// SPDX-License-Identifier: Apache-2.0
//
// Vertices and triangles as a caller may send them: validation, neighbours, normals, smoothing, clamp,
// quality, and what each promises.

#include <cmath>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "check.h"
#include "input.h"
#include "mesh/adjacency.h"
#include "mesh/clamp.h"
#include "mesh/normals.h"
#include "mesh/quality.h"
#include "mesh/rigid_parts.h"
#include "mesh/smoothing.h"
#include "mesh/stretch.h"
#include "mesh/vertices.h"

namespace blendwire {
namespace {

double Longest(absl::Span<const float> offsets) {
  double longest = 0.0;
  for (size_t i = 0; i + 2 < offsets.size(); i += 3) {
    longest = std::max(longest, std::hypot(double{offsets[i]}, double{offsets[i + 1]},
                                           double{offsets[i + 2]}));
  }
  return longest;
}

void CheckAdjacency(const mesh::Adjacency& adjacency, size_t count) {
  BLENDWIRE_FUZZ_CHECK(adjacency.vertex_count() == count);
  BLENDWIRE_FUZZ_CHECK(adjacency.node_count() <= count);
  for (size_t vertex = 0; vertex < count; ++vertex) {
    BLENDWIRE_FUZZ_CHECK(adjacency.node_of(vertex) < adjacency.node_count());
  }
  for (size_t node = 0; node < adjacency.node_count(); ++node) {
    for (const uint32_t other : adjacency.neighbours(node)) {
      BLENDWIRE_FUZZ_CHECK(other < adjacency.node_count() && other != node);
    }
  }
}

void CheckUse(const mesh::Adjacency& adjacency, fuzz::Input& input) {
  const size_t count = adjacency.vertex_count();
  std::vector<float> offsets = input.TakeFloats(3 * count);
  if (!mesh::AllFinite(offsets)) return;
  const double before = Longest(offsets);
  if (before > 1e18) return;  // squares of these do not fit into a float
  mesh::SmoothOffsets(adjacency, static_cast<int>(input.TakeBelow(6)), absl::MakeSpan(offsets));
  BLENDWIRE_FUZZ_CHECK(mesh::AllFinite(offsets));
  BLENDWIRE_FUZZ_CHECK(Longest(offsets) <= before * (1.0 + 1e-5) + 1e-30);
  const mesh::Quality quality = mesh::MeasureQuality(adjacency, offsets);
  BLENDWIRE_FUZZ_CHECK(quality.smoothness >= 0.0f && quality.smoothness <= 1.0f);
  const float limit = std::abs(input.TakeFloat());
  if (!std::isfinite(limit)) return;
  mesh::ClampOffsets(limit, absl::MakeSpan(offsets));
  BLENDWIRE_FUZZ_CHECK(Longest(offsets) <= double{limit});
  BLENDWIRE_FUZZ_CHECK(mesh::ClampOffsets(limit, absl::MakeSpan(offsets)) == 0);
}

// What models ask for beyond that.
void CheckSurface(const mesh::Adjacency& adjacency, const std::vector<float>& vertices,
                  const std::vector<uint32_t>& triangles, fuzz::Input& input) {
  std::vector<float> offsets = input.TakeFloats(vertices.size());
  if (!mesh::AllFinite(offsets)) return;
  const double before = Longest(offsets);
  if (before > 1e18) return;
  const auto parts = mesh::RigidParts::Build(adjacency, vertices, triangles);
  mesh::MakeRigid(parts, vertices, absl::MakeSpan(offsets));
  BLENDWIRE_FUZZ_CHECK(mesh::AllFinite(offsets));
  const float most = 1.0f + std::abs(input.TakeFloat());
  if (!(most > 1.0f && most <= 1000.0f)) return;
  const double rigid = Longest(offsets);
  const std::vector<float> plain = offsets;
  mesh::SmoothingScratch scratch;
  mesh::LimitStretch(adjacency, mesh::ShortestEdges::Build(adjacency, vertices), vertices, most,
                     absl::MakeSpan(offsets), scratch);
  for (size_t i = 0; i < offsets.size(); ++i) {
    const double change = std::abs(double{offsets[i]} - double{plain[i]});
    BLENDWIRE_FUZZ_CHECK(change <= 0.25 * rigid * (1.0 + 1e-5) + 1e-30);
  }
  const mesh::Quality quality = mesh::MeasureLimitedQuality(adjacency, offsets, scratch);
  BLENDWIRE_FUZZ_CHECK(quality.smoothness >= 0.0f && quality.smoothness <= 1.0f);
}

}  // namespace
}  // namespace blendwire

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  fuzz::Input input(data, size);
  const size_t count = input.TakeBelow(48);
  std::vector<float> vertices = input.TakeFloats(3 * count);
  // Positions that repeat, as seams leave them.
  for (size_t i = input.TakeBelow(8); i > 0 && count > 1; --i) {
    const size_t from = input.TakeBelow(count);
    const size_t to = input.TakeBelow(count);
    std::copy_n(vertices.begin() + static_cast<std::ptrdiff_t>(3 * from), 3,
                vertices.begin() + static_cast<std::ptrdiff_t>(3 * to));
  }
  std::vector<uint32_t> triangles(input.TakeBelow(96));
  for (uint32_t& index : triangles) index = input.Take<uint8_t>() % 50;
  const auto given = static_cast<int64_t>(input.TakeBool() ? count : input.Take<uint32_t>());
  if (!mesh::ValidateVertices(vertices, given).ok()) return 0;
  BLENDWIRE_FUZZ_CHECK(given == static_cast<int64_t>(count));
  const auto nearest = mesh::Adjacency::FromNearestNeighbours(vertices, 1 + input.TakeBelow(10));
  CheckAdjacency(nearest, count);
  CheckUse(nearest, input);
  if (!mesh::ValidateTriangles(triangles, given).ok()) return 0;
  const auto adjacency = mesh::Adjacency::FromTriangles(vertices, triangles);
  CheckAdjacency(adjacency, count);
  const std::vector<float> normals = mesh::VertexNormals(adjacency, vertices, triangles);
  BLENDWIRE_FUZZ_CHECK(normals.size() == vertices.size());
  BLENDWIRE_FUZZ_CHECK(mesh::AllFinite(normals));
  CheckUse(adjacency, input);
  CheckSurface(adjacency, vertices, triangles, input);
  return 0;
}

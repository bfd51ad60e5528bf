// SPDX-License-Identifier: Apache-2.0
//
// The text of a Wavefront .obj file.

#include <cstdint>
#include <string>

#include "avatar/avatar.h"
#include "check.h"
#include "input.h"
#include "mesh/vertices.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  fuzz::Input input(data, size);
  avatar::ReadOptions options;
  options.limits = {.max_file_bytes = 1 << 20, .max_vertices = 20'000, .max_triangles = 40'000};
  options.join_split_vertices = input.TakeBool();
  const std::string text = input.TakeRest();
  const auto read = avatar::Avatar::ParseObj(text, options);
  if (!read.ok()) return 0;
  const auto count = static_cast<int64_t>(read->vertices().size() / 3);
  BLENDWIRE_FUZZ_CHECK(count == 0 || mesh::ValidateVertices(read->vertices(), count).ok());
  BLENDWIRE_FUZZ_CHECK(mesh::ValidateTriangles(read->triangles(), count).ok());
  return 0;
}

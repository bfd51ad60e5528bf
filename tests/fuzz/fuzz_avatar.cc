// SPDX-License-Identifier: Apache-2.0
//
// A .glb, .vrm or .gltf file: read, and written again with a morph target if it can be read.

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "avatar/avatar.h"
#include "check.h"
#include "input.h"
#include "mesh/vertices.h"

namespace {

// Small, so that a few bytes of JSON cannot ask for minutes of work.
constexpr blendwire::avatar::Limits kLimits = {.max_file_bytes = 1 << 20,
                                               .max_vertices = 20'000,
                                               .max_triangles = 40'000,
                                               .max_numbers_read = 400'000};

std::filesystem::path OutputPath() {
  return std::filesystem::temp_directory_path() /
         ("blendwire-fuzz-" + std::to_string(::getpid()) + ".glb");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  fuzz::Input input(data, size);
  avatar::ReadOptions options;
  options.limits = kLimits;
  options.join_split_vertices = input.TakeBool();
  const auto read = avatar::Avatar::Parse(input.TakeRest(), options);
  if (!read.ok()) return 0;
  const auto count = static_cast<int64_t>(read->vertices().size() / 3);
  BLENDWIRE_FUZZ_CHECK(count == 0 || mesh::ValidateVertices(read->vertices(), count).ok());
  BLENDWIRE_FUZZ_CHECK(mesh::ValidateTriangles(read->triangles(), count).ok());
  std::vector<float> offsets(read->vertices().size());
  for (size_t i = 0; i < offsets.size(); ++i) offsets[i] = 0.001f * static_cast<float>(i % 7);
  const std::vector<avatar::MorphTarget> targets = {{"vrc.v_aa", offsets}};
  const std::filesystem::path path = OutputPath();
  if (read->CheckOutput(path).ok() && read->Write(path, targets, {}).ok()) {
    // What we write, we read.
    const auto again = avatar::Avatar::Read(path, {});
    BLENDWIRE_FUZZ_CHECK(again.ok());
  }
  return 0;
}

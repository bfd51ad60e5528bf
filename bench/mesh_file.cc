// SPDX-License-Identifier: Apache-2.0

#include "mesh_file.h"

#include <array>
#include <fstream>

#include "absl/strings/str_cat.h"

namespace blendwire::bench {
namespace {

template <typename T>
bool Read(std::ifstream& stream, T* values, size_t count) {
  stream.read(reinterpret_cast<char*>(values), static_cast<std::streamsize>(count * sizeof(T)));
  return stream.good();
}

}  // namespace

absl::StatusOr<Mesh> ReadMesh(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::array<uint32_t, 2> counts{};
  Mesh mesh;
  bool complete = Read(stream, counts.data(), counts.size());
  if (complete) {
    mesh.vertices.resize(size_t{3} * counts[0]);
    mesh.triangles.resize(size_t{3} * counts[1]);
    complete = Read(stream, mesh.vertices.data(), mesh.vertices.size()) &&
               Read(stream, mesh.triangles.data(), mesh.triangles.size());
  }
  if (!complete || mesh.vertices.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--mesh is ", file.string(), ", which is no whole mesh file of scripts/bench"));
  }
  return mesh;
}

Mesh Sheet(size_t rows, size_t columns) {
  Mesh mesh;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t column = 0; column < columns; ++column) {
      const float x = 0.16f * static_cast<float>(column) / static_cast<float>(columns) - 0.08f;
      const float z = 0.20f * static_cast<float>(row) / static_cast<float>(rows) - 0.1f;
      const float bump = 0.0005f * static_cast<float>((row * 7 + column * 13) % 11);
      mesh.vertices.insert(mesh.vertices.end(), {x, 3.0f * x * x + 2.0f * z * z + bump, z});
    }
  }
  for (size_t row = 0; row + 1 < rows; ++row) {
    for (size_t column = 0; column + 1 < columns; ++column) {
      const auto a = static_cast<uint32_t>(row * columns + column);
      const auto below = a + static_cast<uint32_t>(columns);
      mesh.triangles.insert(mesh.triangles.end(), {a, a + 1, below + 1, a, below + 1, below});
    }
  }
  return mesh;
}

}  // namespace blendwire::bench

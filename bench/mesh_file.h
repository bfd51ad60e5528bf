// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_BENCH_MESH_FILE_H_
#define BLENDWIRE_BENCH_MESH_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "absl/status/statusor.h"

namespace blendwire::bench {

struct Mesh {
  std::vector<float> vertices;      // [N,3] metres
  std::vector<uint32_t> triangles;  // [T,3]

  size_t vertex_count() const { return vertices.size() / 3; }
};

// What bench/runner/meshes.py writes, little endian: N and T as uint32, [N,3] float32, [T,3]
// uint32. INVALID_ARGUMENT if the file is not there or has another size than it says.
absl::StatusOr<Mesh> ReadMesh(const std::filesystem::path& file);

// A bumpy sheet of rows x columns vertices about as large as a face, for programs that should not
// need a file. The same numbers everywhere: only sums and products.
Mesh Sheet(size_t rows, size_t columns);

}  // namespace blendwire::bench

#endif  // BLENDWIRE_BENCH_MESH_FILE_H_

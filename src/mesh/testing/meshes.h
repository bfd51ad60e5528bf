// SPDX-License-Identifier: Apache-2.0
//
// Meshes for tests, and slow, plain versions of what mesh/ computes to compare it with.

#ifndef BLENDWIRE_MESH_TESTING_MESHES_H_
#define BLENDWIRE_MESH_TESTING_MESHES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

namespace blendwire::mesh::testing {

struct Mesh {
  std::vector<float> vertices;      // [N,3] flattened
  std::vector<uint32_t> triangles;  // [T,3] flattened

  size_t vertex_count() const { return vertices.size() / 3; }
  std::array<float, 3> at(size_t vertex) const {
    return {vertices[3 * vertex], vertices[3 * vertex + 1], vertices[3 * vertex + 2]};
  }
  // Returns the new vertex.
  uint32_t AddVertex(float x, float y, float z);
  // Appends the other mesh's parts, welding nothing.
  void Append(const Mesh& other);
};

// columns x rows vertices, 1/64 m apart in the plane z = height, facing +Z (or -Z if `flipped`).
Mesh Grid(size_t columns, size_t rows, float height = 0.0f, bool flipped = false);

// Two grids of columns x rows that share the positions of one column, each with vertices of its own
// there, as a texture seam leaves them.
Mesh GridWithSeam(size_t columns, size_t rows);

// A closed box with 8 vertices, edges of 1/8 m and its lowest corner at (x,y,z), facing outwards.
Mesh Box(float x, float y, float z);

// Random triangles over random points of a coarse lattice, so that many vertices share positions,
// and a few vertices without triangles.
Mesh RandomMesh(uint32_t seed, size_t vertex_count, size_t triangle_count);

// Normally distributed, scale 0.01 m.
std::vector<float> RandomOffsets(uint32_t seed, size_t vertex_count);

// The node of every vertex, by comparing all vertices with all nodes. Without triangles every
// vertex at one position is one node.
std::vector<uint32_t> SlowWeld(const Mesh& mesh);

// The neighbours of each node, by SlowWeld's nodes.
std::vector<std::set<uint32_t>> SlowNeighbours(const Mesh& mesh);

// The neighbours of each node among the k nearest, by sorting all distances.
std::vector<std::set<uint32_t>> SlowNearest(const Mesh& mesh, size_t k);

}  // namespace blendwire::mesh::testing

#endif  // BLENDWIRE_MESH_TESTING_MESHES_H_

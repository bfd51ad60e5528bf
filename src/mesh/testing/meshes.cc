// SPDX-License-Identifier: Apache-2.0

#include "mesh/testing/meshes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

namespace blendwire::mesh::testing {
namespace {

constexpr float kStep = 1.0f / 64.0f;

double Distance(const std::array<float, 3>& a, const std::array<float, 3>& b) {
  return std::hypot(double{a[0]} - double{b[0]}, double{a[1]} - double{b[1]},
                    double{a[2]} - double{b[2]});
}

// The sum of a vertex's triangle normals, made unit length; zero without triangles.
std::array<double, 3> SlowNormal(const Mesh& mesh, uint32_t vertex) {
  std::array<double, 3> sum{};
  for (size_t t = 0; t < mesh.triangles.size(); t += 3) {
    const uint32_t* corners = &mesh.triangles[t];
    const auto times = std::count(corners, corners + 3, vertex);
    const auto a = mesh.at(corners[0]), b = mesh.at(corners[1]), c = mesh.at(corners[2]);
    for (size_t i = 0; i < 3; ++i) {
      const size_t j = (i + 1) % 3, k = (i + 2) % 3;
      // The projected area on each coordinate plane, by the shoelace formula.
      const double area = double{a[j]} * (double{b[k]} - double{c[k]}) +
                          double{b[j]} * (double{c[k]} - double{a[k]}) +
                          double{c[j]} * (double{a[k]} - double{b[k]});
      sum[i] += static_cast<double>(times) * area;
    }
  }
  const double length = std::hypot(sum[0], sum[1], sum[2]);
  for (double& value : sum) value = length > 1e-12 ? value / length : 0.0;
  return sum;
}

// Whether a vertex has triangles, and its neighbours each appear as often after as before it.
bool SlowInterior(const Mesh& mesh, uint32_t vertex) {
  std::map<uint32_t, int> balance;
  for (size_t t = 0; t < mesh.triangles.size(); ++t) {
    if (mesh.triangles[t] != vertex) continue;
    const size_t first = t / 3 * 3;
    ++balance[mesh.triangles[first + (t + 1) % 3]];
    --balance[mesh.triangles[first + (t + 2) % 3]];
  }
  return !balance.empty() &&
         std::all_of(balance.begin(), balance.end(), [](auto& entry) { return entry.second == 0; });
}

struct SlowNode {
  uint32_t first_vertex;
  std::array<double, 3> normal;
  bool interior;
};

std::vector<SlowNode> SlowNodes(const Mesh& mesh, std::vector<uint32_t>& node_of) {
  double diagonal = 0.0;
  for (size_t axis = 0; axis < 3; ++axis) {
    float low = mesh.vertices[axis], high = low;
    for (size_t i = axis; i < mesh.vertices.size(); i += 3) {
      low = std::min(low, mesh.vertices[i]);
      high = std::max(high, mesh.vertices[i]);
    }
    diagonal = std::hypot(diagonal, double{high} - double{low});
  }
  std::vector<SlowNode> nodes;
  for (uint32_t v = 0; v < mesh.vertex_count(); ++v) {
    const auto normal = SlowNormal(mesh, v);
    const bool interior = SlowInterior(mesh, v);
    size_t best = nodes.size();
    double best_dot = -0.5 - 1e-12;
    for (size_t n = 0; n < nodes.size(); ++n) {
      if (Distance(mesh.at(v), mesh.at(nodes[n].first_vertex)) > 1e-6 * diagonal) continue;
      if (interior && nodes[n].interior) continue;
      const double dot = normal[0] * nodes[n].normal[0] + normal[1] * nodes[n].normal[1] +
                         normal[2] * nodes[n].normal[2];
      if (dot <= best_dot + 1e-9) continue;
      best = n;
      best_dot = dot;
    }
    if (best == nodes.size()) {
      nodes.push_back({v, normal, interior});
    } else {
      nodes[best].interior |= interior;
      if (nodes[best].normal == std::array<double, 3>{}) nodes[best].normal = normal;
    }
    node_of.push_back(static_cast<uint32_t>(best));
  }
  return nodes;
}

}  // namespace

uint32_t Mesh::AddVertex(float x, float y, float z) {
  vertices.insert(vertices.end(), {x, y, z});
  return static_cast<uint32_t>(vertex_count() - 1);
}

void Mesh::Append(const Mesh& other) {
  const auto base = static_cast<uint32_t>(vertex_count());
  vertices.insert(vertices.end(), other.vertices.begin(), other.vertices.end());
  for (const uint32_t index : other.triangles) triangles.push_back(base + index);
}

Mesh Grid(size_t columns, size_t rows, float height, bool flipped) {
  Mesh mesh;
  for (size_t y = 0; y < rows; ++y) {
    for (size_t x = 0; x < columns; ++x) {
      mesh.AddVertex(kStep * static_cast<float>(x), kStep * static_cast<float>(y), height);
    }
  }
  for (uint32_t y = 0; y + 1 < rows; ++y) {
    for (uint32_t x = 0; x + 1 < columns; ++x) {
      const auto width = static_cast<uint32_t>(columns);
      const uint32_t a = y * width + x, b = a + 1, c = a + width, d = c + 1;
      if (flipped) {
        mesh.triangles.insert(mesh.triangles.end(), {a, d, b, a, c, d});
      } else {
        mesh.triangles.insert(mesh.triangles.end(), {a, b, d, a, d, c});
      }
    }
  }
  return mesh;
}

Mesh GridWithSeam(size_t columns, size_t rows) {
  Mesh mesh = Grid(columns, rows);
  Mesh right = Grid(columns, rows);
  for (size_t i = 0; i < right.vertices.size(); i += 3) {
    right.vertices[i] += kStep * static_cast<float>(columns - 1);
  }
  mesh.Append(right);
  return mesh;
}

Mesh Box(float x, float y, float z) {
  Mesh mesh;
  for (uint32_t i = 0; i < 8; ++i) {
    mesh.AddVertex(x + (i & 1 ? 0.125f : 0.0f), y + (i & 2 ? 0.125f : 0.0f),
                   z + (i & 4 ? 0.125f : 0.0f));
  }
  mesh.triangles = {0, 2, 1, 1, 2, 3, 4, 5, 6, 5, 7, 6, 0, 1, 4, 1, 5, 4,
                    2, 6, 3, 3, 6, 7, 0, 4, 2, 2, 4, 6, 1, 3, 5, 3, 7, 5};
  return mesh;
}

Mesh RandomMesh(uint32_t seed, size_t vertex_count, size_t triangle_count) {
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> lattice(0, 4);
  std::uniform_int_distribution<uint32_t> vertex(0, static_cast<uint32_t>(vertex_count - 4));
  Mesh mesh;
  for (size_t v = 0; v < vertex_count; ++v) {
    float position[3];
    for (float& value : position) value = 0.03f * static_cast<float>(lattice(random));
    mesh.AddVertex(position[0], position[1], position[2]);
  }
  for (size_t i = 0; i < 3 * triangle_count; ++i) mesh.triangles.push_back(vertex(random));
  return mesh;
}

std::vector<float> RandomOffsets(uint32_t seed, size_t vertex_count) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, 0.01f);
  std::vector<float> offsets(3 * vertex_count);
  for (float& value : offsets) value = normal(random);
  return offsets;
}

std::vector<uint32_t> SlowWeld(const Mesh& mesh) {
  std::vector<uint32_t> node_of;
  SlowNodes(mesh, node_of);
  return node_of;
}

std::vector<std::set<uint32_t>> SlowNeighbours(const Mesh& mesh) {
  std::vector<uint32_t> node_of;
  std::vector<std::set<uint32_t>> neighbours(SlowNodes(mesh, node_of).size());
  for (size_t t = 0; t < mesh.triangles.size(); t += 3) {
    for (size_t i = 0; i < 3; ++i) {
      for (size_t j = 0; j < 3; ++j) {
        const uint32_t a = node_of[mesh.triangles[t + i]];
        const uint32_t b = node_of[mesh.triangles[t + j]];
        if (a != b) neighbours[a].insert(b);
      }
    }
  }
  return neighbours;
}

std::vector<std::set<uint32_t>> SlowNearest(const Mesh& mesh, size_t k) {
  std::vector<uint32_t> node_of;
  const std::vector<SlowNode> nodes = SlowNodes({mesh.vertices, {}}, node_of);
  std::vector<std::set<uint32_t>> neighbours(nodes.size());
  for (uint32_t a = 0; a < nodes.size(); ++a) {
    std::vector<std::pair<double, uint32_t>> others;
    for (uint32_t b = 0; b < nodes.size(); ++b) {
      if (b == a) continue;
      others.emplace_back(Distance(mesh.at(nodes[a].first_vertex), mesh.at(nodes[b].first_vertex)),
                          b);
    }
    std::sort(others.begin(), others.end());
    others.resize(std::min(k, others.size()));
    for (const auto& [distance, b] : others) {
      neighbours[a].insert(b);
      neighbours[b].insert(a);
    }
  }
  return neighbours;
}

}  // namespace blendwire::mesh::testing

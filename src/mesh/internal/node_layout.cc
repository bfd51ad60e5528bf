// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/node_layout.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace blendwire::mesh::internal {
namespace {

// The graph as the Adjacency numbers it.
struct Graph {
  uint32_t degree(uint32_t node) const { return first[node + 1] - first[node]; }

  const uint32_t* first;
  const uint32_t* neighbours;
  size_t node_count;
};

// Breadth first, piece after piece of the surface.
std::vector<uint32_t> BreadthFirst(const Graph& graph) {
  std::vector<uint32_t> order(graph.node_count + 1);  // and one that is written over again
  std::vector<uint8_t> is_new(graph.node_count, 1);
  size_t count = 0;
  // Written in any case, which takes less than a jump that nobody can foretell.
  const auto find = [to = order.data(), fresh = is_new.data(), &count](uint32_t node) {
    to[count] = node;
    count += fresh[node];
    fresh[node] = 0;
  };
  size_t visited = 0;
  for (uint32_t start = 0; start < graph.node_count; ++start) {
    find(start);
    for (; visited < count; ++visited) {
      const uint32_t node = order[visited];
      const uint32_t* const end = graph.neighbours + graph.first[node + 1];
      for (const uint32_t* i = graph.neighbours + graph.first[node]; i != end; ++i) find(*i);
    }
  }
  order.pop_back();
  return order;
}

// Sorts [begin, end) by the number of neighbours, and leaves the order otherwise.
void SortByDegree(const Graph& graph, std::vector<uint32_t>& order, size_t begin, size_t end,
                  std::vector<uint32_t>& scratch) {
  // More than this are rare: those may lie in any order.
  constexpr uint32_t kMost = 32;
  std::array<size_t, kMost + 2> places{};
  const auto bucket = [&](uint32_t node) { return std::min(graph.degree(node), kMost); };
  for (size_t i = begin; i < end; ++i) ++places[bucket(order[i]) + 1];
  for (size_t i = 1; i < places.size(); ++i) places[i] += places[i - 1];
  scratch.resize(end - begin);
  for (size_t i = begin; i < end; ++i) scratch[places[bucket(order[i])]++] = order[i];
  std::copy(scratch.begin(), scratch.end(), order.begin() + static_cast<ptrdiff_t>(begin));
}

void ListNeighbours(const Graph& graph, const std::vector<uint32_t>& order,
                    const std::vector<uint32_t>& positions, NodeLayout& layout) {
  layout.neighbours.resize(graph.first[graph.node_count]);
  uint32_t* const neighbours = layout.neighbours.data();
  uint32_t listed = 0;
  for (uint32_t position = 0; position < order.size(); ++position) {
    const uint32_t node = order[position];
    const uint32_t degree = graph.degree(node);
    if (position % NodeLayout::kWindow == 0 || layout.runs.back().degree != degree) {
      layout.runs.push_back({position, position, degree, listed});
    }
    layout.runs.back().end = position + 1;
    const uint32_t* const names = graph.neighbours + graph.first[node];
    for (uint32_t i = 0; i < degree; ++i) neighbours[listed++] = positions[names[i]];
  }
}

void ListVertices(NodeLayout& layout, size_t node_count) {
  // first_vertex[node + 1] first says where the node's vertices begin, then, advanced by the
  // filling, where they end.
  layout.first_vertex.assign(node_count + 2, 0);
  for (const uint32_t node : layout.node_of) ++layout.first_vertex[node + 2];
  for (size_t i = 2; i < layout.first_vertex.size(); ++i) {
    layout.first_vertex[i] += layout.first_vertex[i - 1];
  }
  layout.vertices.resize(layout.node_of.size());
  for (uint32_t vertex = 0; vertex < layout.node_of.size(); ++vertex) {
    layout.vertices[layout.first_vertex[layout.node_of[vertex] + 1]++] = vertex;
  }
  layout.first_vertex.pop_back();
}

}  // namespace

NodeLayout NodeLayout::Of(absl::Span<const uint32_t> node_of, absl::Span<const uint32_t> first,
                          absl::Span<const uint32_t> neighbours) {
  const size_t node_count = first.size() - 1;
  const Graph graph{first.data(), neighbours.data(), node_count};
  std::vector<uint32_t> order = BreadthFirst(graph);
  std::vector<uint32_t> scratch;
  for (size_t begin = 0; begin < node_count; begin += kWindow) {
    SortByDegree(graph, order, begin, std::min(begin + kWindow, node_count), scratch);
  }
  std::vector<uint32_t> positions(node_count);
  for (uint32_t i = 0; i < node_count; ++i) positions[order[i]] = i;

  NodeLayout layout;
  ListNeighbours(graph, order, positions, layout);
  layout.node_of.resize(node_of.size());
  std::transform(node_of.begin(), node_of.end(), layout.node_of.begin(),
                 [&](uint32_t node) { return positions[node]; });
  ListVertices(layout, node_count);
  return layout;
}

size_t NodeLayout::memory_bytes() const {
  return runs.capacity() * sizeof(Run) + (neighbours.capacity() + node_of.capacity() +
                                          vertices.capacity() + first_vertex.capacity()) *
                                             sizeof(uint32_t);
}

}  // namespace blendwire::mesh::internal

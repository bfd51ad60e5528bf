// SPDX-License-Identifier: Apache-2.0

#include "mesh/internal/parts.h"

namespace blendwire::mesh::internal {

Parts Parts::Of(const Adjacency& adjacency) {
  Parts parts;
  parts.nodes.reserve(adjacency.node_count());
  std::vector<char> seen(adjacency.node_count(), 0);
  for (uint32_t start = 0; start < adjacency.node_count(); ++start) {
    if (seen[start] != 0) continue;
    seen[start] = 1;
    size_t next = parts.nodes.size();
    parts.nodes.push_back(start);
    for (; next < parts.nodes.size(); ++next) {
      for (const uint32_t neighbour : adjacency.neighbours(parts.nodes[next])) {
        if (seen[neighbour] != 0) continue;
        seen[neighbour] = 1;
        parts.nodes.push_back(neighbour);
      }
    }
    parts.ends.push_back(static_cast<uint32_t>(parts.nodes.size()));
  }
  return parts;
}

}  // namespace blendwire::mesh::internal

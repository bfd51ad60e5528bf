// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_INTERNAL_PARTS_H_
#define BLENDWIRE_MESH_INTERNAL_PARTS_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "mesh/adjacency.h"

namespace blendwire::mesh::internal {

// What hangs together: the nodes of each part, one part after the other.
struct Parts {
  static Parts Of(const Adjacency& adjacency);

  size_t size() const { return ends.size(); }
  absl::Span<const uint32_t> operator[](size_t part) const {
    const uint32_t begin = part == 0 ? 0 : ends[part - 1];
    return absl::MakeConstSpan(nodes).subspan(begin, ends[part] - begin);
  }

  std::vector<uint32_t> nodes;
  std::vector<uint32_t> ends;
};

}  // namespace blendwire::mesh::internal

#endif  // BLENDWIRE_MESH_INTERNAL_PARTS_H_

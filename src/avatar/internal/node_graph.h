// SPDX-License-Identifier: Apache-2.0
//
// Where each node stands, and which nodes the default scene shows.

#ifndef BLENDWIRE_AVATAR_INTERNAL_NODE_GRAPH_H_
#define BLENDWIRE_AVATAR_INTERNAL_NODE_GRAPH_H_

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "avatar/internal/json_access.h"
#include "avatar/internal/transform.h"

namespace blendwire::avatar {

struct NodeGraph {
  std::vector<Affine> world;  // node space to scene space, of every node
  std::vector<size_t> shown;  // nodes of the default scene, parents before children
};

// The default scene is the one that "scene" names, else the first, else all nodes together.
// INVALID_ARGUMENT for a node with two parents, a cycle, and transforms that are no numbers.
absl::StatusOr<NodeGraph> BuildNodeGraph(const Json& root);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_NODE_GRAPH_H_

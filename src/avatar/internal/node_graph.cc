// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/node_graph.h"

#include <array>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/status_macros.h"

namespace blendwire::avatar {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

absl::StatusOr<Affine> LocalTransform(const Json& node, const std::string& where) {
  std::array<double, 16> matrix = {};
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const bool has_matrix,
                                    GetNumbers(node, "matrix", where, absl::MakeSpan(matrix)));
  if (has_matrix) return FromColumns(matrix);
  Vec3 translation = {0, 0, 0};
  std::array<double, 4> rotation = {0, 0, 0, 1};
  Vec3 scale = {1, 1, 1};
  for (const auto& status :
       {GetNumbers(node, "translation", where, absl::MakeSpan(translation)).status(),
        GetNumbers(node, "rotation", where, absl::MakeSpan(rotation)).status(),
        GetNumbers(node, "scale", where, absl::MakeSpan(scale)).status()}) {
    if (!status.ok()) return status;
  }
  return FromTrs(translation, rotation, scale);
}

// A node's list of node indices ("children", or a scene's "nodes").
absl::StatusOr<std::vector<size_t>> NodeList(const Json& root, const Json& object,
                                             const std::string& key, const std::string& where) {
  std::vector<size_t> nodes;
  const Json* list = Find(object, key);
  if (list == nullptr) return nodes;
  if (!list->is_array()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ".", key, " must be an array"));
  }
  for (size_t i = 0; i < list->size(); ++i) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
        const size_t node,
        ToIndex(root, (*list)[i], "nodes", absl::StrCat(where, ".", key, "[", i, "]")));
    nodes.push_back(node);
  }
  return nodes;
}

absl::StatusOr<std::vector<size_t>> SceneRoots(const Json& root,
                                               const std::vector<size_t>& parents) {
  const Json& scenes = List(root, "scenes");
  std::vector<size_t> roots;
  if (scenes.empty()) {
    for (size_t i = 0; i < parents.size(); ++i) {
      if (parents[i] == kNone) roots.push_back(i);
    }
    return roots;
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::optional<size_t> scene,
                                    GetIndex(root, root, "scene", "scenes", "the file"));
  return NodeList(root, scenes[scene.value_or(0)], "nodes", Where("scenes", scene.value_or(0)));
}

// Nodes that can be reached from `roots`, each once, parents before children.
std::vector<size_t> Reachable(const std::vector<size_t>& roots,
                              const std::vector<std::vector<size_t>>& children) {
  std::vector<bool> seen(children.size(), false);
  std::vector<size_t> order;
  std::vector<size_t> stack(roots.rbegin(), roots.rend());
  while (!stack.empty()) {
    const size_t node = stack.back();
    stack.pop_back();
    if (seen[node]) continue;
    seen[node] = true;
    order.push_back(node);
    stack.insert(stack.end(), children[node].rbegin(), children[node].rend());
  }
  return order;
}

}  // namespace

absl::StatusOr<NodeGraph> BuildNodeGraph(const Json& root) {
  const Json& nodes = List(root, "nodes");
  std::vector<std::vector<size_t>> children(nodes.size());
  std::vector<size_t> parents(nodes.size(), kNone);
  for (size_t i = 0; i < nodes.size(); ++i) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(children[i],
                                      NodeList(root, nodes[i], "children", Where("nodes", i)));
    for (const size_t child : children[i]) {
      if (parents[child] != kNone) {
        return absl::InvalidArgumentError(absl::StrCat(
            Where("nodes", child), " is a child of both nodes ", parents[child], " and ", i));
      }
      parents[child] = i;
    }
  }
  std::vector<size_t> tops;
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (parents[i] == kNone) tops.push_back(i);
  }
  const std::vector<size_t> order = Reachable(tops, children);
  if (order.size() != nodes.size()) {
    return absl::InvalidArgumentError("some nodes are children of themselves, round a cycle");
  }
  NodeGraph graph;
  graph.world.resize(nodes.size());
  for (const size_t node : order) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const Affine local,
                                      LocalTransform(nodes[node], Where("nodes", node)));
    graph.world[node] = parents[node] == kNone ? local : graph.world[parents[node]] * local;
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<size_t> roots, SceneRoots(root, parents));
  graph.shown = Reachable(roots, children);
  return graph;
}

}  // namespace blendwire::avatar

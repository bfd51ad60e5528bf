// SPDX-License-Identifier: Apache-2.0
//
// Skinned vertices: where the joints' current pose puts them (glTF 2.0, chapter 3.7.3).

#ifndef BLENDWIRE_AVATAR_INTERNAL_SKIN_H_
#define BLENDWIRE_AVATAR_INTERNAL_SKIN_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "avatar/internal/accessor.h"
#include "avatar/internal/node_graph.h"
#include "avatar/internal/transform.h"

namespace blendwire::avatar {

// jointWorld * inverseBind of each joint of a skin.
absl::StatusOr<std::vector<Affine>> JointTransforms(AccessorReader& reader, const NodeGraph& graph,
                                                    size_t skin);

// Per vertex sum of weight * joint transform, over all JOINTS_n and WEIGHTS_n of a primitive, with
// weights that sum to 1; `unweighted` for a vertex without weights. `count`: its vertices.
absl::StatusOr<std::vector<Affine>> BlendJoints(AccessorReader& reader, const Json& attributes,
                                                const std::string& where, size_t count,
                                                const std::vector<Affine>& joints,
                                                const Affine& unweighted);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_SKIN_H_

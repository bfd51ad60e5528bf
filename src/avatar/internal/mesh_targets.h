// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_MESH_TARGETS_H_
#define BLENDWIRE_AVATAR_INTERNAL_MESH_TARGETS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "avatar/internal/json_access.h"

namespace blendwire::avatar {

// A mesh's primitives: at least one, each an object with "attributes" in which POSITION is an
// accessor; all with the same number of morph targets, each an object.
absl::StatusOr<const Json*> CheckedPrimitives(const Json& root, size_t mesh);

// The names of a mesh's morph targets, as many as it has. glTF itself has no place for them; they
// are where Blender, UniVRM and others put them: mesh.extras.targetNames, else the first
// primitive's extras.targetNames, else each target's extras.name; "target_3" for one without a
// name.
std::vector<std::string> TargetNames(const Json& mesh);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_MESH_TARGETS_H_

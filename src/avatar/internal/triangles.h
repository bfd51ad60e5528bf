// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_TRIANGLES_H_
#define BLENDWIRE_AVATAR_INTERNAL_TRIANGLES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "avatar/internal/accessor.h"

namespace blendwire::avatar {

// True for primitives of triangles, strips and fans; false for points and lines. INVALID_ARGUMENT
// for a mode that does not exist, and for Draco compression.
absl::StatusOr<bool> HasTriangles(const Json& primitive, const std::string& where);

// [T,3] flattened: indices below `vertex_count` into the primitive's own vertices.
absl::StatusOr<std::vector<uint32_t>> ReadTriangles(AccessorReader& reader, const Json& primitive,
                                                    const std::string& where, size_t vertex_count);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_TRIANGLES_H_

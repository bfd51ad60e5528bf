// SPDX-License-Identifier: Apache-2.0
//
// Where a glTF file's morphed vertices are, worked out the slow and plain way from the
// specification, with none of the library's own code: what the library writes must agree with it.

#ifndef BLENDWIRE_AVATAR_TESTING_GLTF_REFERENCE_H_
#define BLENDWIRE_AVATAR_TESTING_GLTF_REFERENCE_H_

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "avatar/testing/gltf_builder.h"

namespace blendwire::avatar::testing {

using Point = std::array<double, 3>;

// All numbers of an accessor.
std::vector<double> AccessorNumbers(const GlbParts& file, size_t accessor);

// The primitive's vertices in contract axes as `node` shows them, with morph target `target` at
// full weight; -1 for none.
std::vector<Point> MorphedVertices(const GlbParts& file, size_t node, size_t primitive, int target);

}  // namespace blendwire::avatar::testing

#endif  // BLENDWIRE_AVATAR_TESTING_GLTF_REFERENCE_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MESH_CLAMP_H_
#define BLENDWIRE_MESH_CLAMP_H_

#include <cstddef>

#include "absl/types/span.h"

namespace blendwire::mesh {

// Shortens every offset longer than `max_length` to it, in place, keeping its direction. `offsets`
// is [N,3] flattened, finite; both in metres; max_length >= 0. Returns how many were shortened. No
// result is longer than max_length, not by a rounding error either, so a second call changes
// nothing.
size_t ClampOffsets(float max_length, absl::Span<float> offsets);

}  // namespace blendwire::mesh

#endif  // BLENDWIRE_MESH_CLAMP_H_

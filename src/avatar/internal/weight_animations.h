// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_WEIGHT_ANIMATIONS_H_
#define BLENDWIRE_AVATAR_INTERNAL_WEIGHT_ANIMATIONS_H_

#include <cstddef>

#include "avatar/avatar.h"
#include "avatar/internal/document.h"

namespace blendwire::avatar {

// An animation of morph weights has one number per key frame and morph target: when a mesh gets
// `added` targets behind its `old_count`, such animations need that many zeros more per key frame.
// Animations that did not fit the mesh before get a warning and stay as they are.
void ExtendWeightAnimations(Document& document, size_t mesh, size_t old_count, size_t added,
                            const Limits& limits);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_WEIGHT_ANIMATIONS_H_

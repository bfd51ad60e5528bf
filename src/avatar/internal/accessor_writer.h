// SPDX-License-Identifier: Apache-2.0
//
// New accessors at the end of a document.

#ifndef BLENDWIRE_AVATAR_INTERNAL_ACCESSOR_WRITER_H_
#define BLENDWIRE_AVATAR_INTERNAL_ACCESSOR_WRITER_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"
#include "avatar/internal/document.h"

namespace blendwire::avatar {

// Each returns the new accessor's index.

// [n,3] flattened, with min and max. All zero: an accessor without data; few that are not zero: a
// sparse accessor; whatever takes the fewest bytes.
size_t AppendMorphAttribute(Document& document, absl::Span<const float> vectors);

// [n,components] flattened, for 1 to 4 components. `bounds`: with min and max, as POSITION and the
// times of an animation must have.
size_t AppendFloats(Document& document, absl::Span<const float> values, size_t components,
                    ViewTarget target, bool bounds);

size_t AppendIndices(Document& document, absl::Span<const uint32_t> indices);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_ACCESSOR_WRITER_H_

// SPDX-License-Identifier: Apache-2.0

#include "mesh/clamp.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "absl/types/span.h"

namespace blendwire::mesh {

size_t ClampOffsets(float max_length, absl::Span<float> offsets) {
  // Doubles hold the squares of floats exactly enough that only real excess counts.
  const double limit = double{max_length} * double{max_length};
  // Aims a little short, so that rounding to float cannot end above the limit: by a share of it, and
  // by what the smallest floats are apart, for limits as small as those.
  const double target = std::max(
      0.0, double{max_length} * (1.0 - 0x1p-23) -
               2.0 * double{std::numeric_limits<float>::denorm_min()});
  size_t shortened = 0;
  float* offset = offsets.data();  // a span checks each index
  for (size_t i = 0; i + 2 < offsets.size(); i += 3, offset += 3) {
    const double x = double{offset[0]};
    const double y = double{offset[1]};
    const double z = double{offset[2]};
    const double squared = x * x + y * y + z * z;
    if (squared <= limit) continue;
    const double scale = target / std::sqrt(squared);
    offset[0] = static_cast<float>(x * scale);
    offset[1] = static_cast<float>(y * scale);
    offset[2] = static_cast<float>(z * scale);
    ++shortened;
  }
  return shortened;
}

}  // namespace blendwire::mesh

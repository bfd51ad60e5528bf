// SPDX-License-Identifier: Apache-2.0

#include "mesh/clamp.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "absl/types/span.h"

namespace blendwire::mesh {
namespace {

// Floats, of whole vertices. Few blocks of an expression have anything to shorten.
constexpr size_t kBlock = size_t{3} * 256;

// Whether all are within -limit to limit, which the compiler finds out of many at once.
bool AllWithin(float limit, const float* values, size_t count) {
  int outside = 0;
  for (size_t i = 0; i < count; ++i) outside |= static_cast<int>(std::abs(values[i]) > limit);
  return outside == 0;
}

size_t ClampBlock(float max_length, float* offset, size_t count) {
  // Doubles hold the squares of floats exactly enough that only real excess counts.
  const double limit = double{max_length} * double{max_length};
  // Aims a little short, so that rounding to float cannot end above the limit: by a share of it, and
  // by what the smallest floats are apart, for limits as small as those.
  const double target = std::max(
      0.0, double{max_length} * (1.0 - 0x1p-23) -
               2.0 * double{std::numeric_limits<float>::denorm_min()});
  size_t shortened = 0;
  for (const float* const end = offset + count; offset != end; offset += 3) {
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

}  // namespace

size_t ClampOffsets(float max_length, absl::Span<float> offsets) {
  // The square of 0.57 is less than a third: three components up to that are not too long together.
  // One step less, for limits so small that rounding is no small share of them.
  const float never_too_long =
      std::max(0.0f, 0.57f * max_length - std::numeric_limits<float>::denorm_min());
  size_t shortened = 0;
  const size_t count = offsets.size() / 3 * 3;
  for (size_t begin = 0; begin < count; begin += kBlock) {
    float* const block = offsets.data() + begin;
    const size_t size = std::min(kBlock, count - begin);
    if (!AllWithin(never_too_long, block, size)) shortened += ClampBlock(max_length, block, size);
  }
  return shortened;
}

}  // namespace blendwire::mesh

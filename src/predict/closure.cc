// SPDX-License-Identifier: Apache-2.0

#include "predict/closure.h"

#include <algorithm>
#include <cstddef>

namespace blendwire::predict {

contact::Closure ClosureOf(absl::Span<const float> condition,
                           absl::Span<const model::ContactShare> shares) {
  contact::Closure closure;
  double least_own_lids = 1.0;
  for (size_t i = 0; i < shares.size(); ++i) {
    const model::ContactShare& share = shares[i];
    const double weight = std::clamp(double{condition[i]}, 0.0, 1.0);
    if (weight == 0.0) continue;
    closure.left_lid += weight * double{share.left_lid};
    closure.right_lid += weight * double{share.right_lid};
    closure.lips += weight * double{share.lips};
    if (share.left_lid > 0 || share.right_lid > 0) {
      least_own_lids = std::min(least_own_lids, double{share.least_own_lids});
    }
  }
  closure.left_lid = std::min(closure.left_lid, 1.0);
  closure.right_lid = std::min(closure.right_lid, 1.0);
  closure.lips = std::min(closure.lips, 1.0);
  if (closure.left_lid > 0 || closure.right_lid > 0) closure.least_own_lids = least_own_lids;
  return closure;
}

}  // namespace blendwire::predict

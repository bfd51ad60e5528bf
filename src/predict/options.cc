// SPDX-License-Identifier: Apache-2.0

#include "predict/options.h"

#include "absl/strings/str_cat.h"

namespace blendwire::predict {

int Options::effective_iterations() const {
  if (!apply_smoothing) return 0;
  return smoothing_iterations == 0 ? kDefaultSmoothingIterations : smoothing_iterations;
}

float Options::effective_max_displacement() const {
  return max_displacement == 0.0f ? kDefaultMaxDisplacement : max_displacement;
}

absl::Duration Options::timeout() const {
  return timeout_seconds == 0 ? absl::InfiniteDuration() : absl::Seconds(timeout_seconds);
}

absl::Status Options::Validate() const {
  if (smoothing_iterations < 0 || smoothing_iterations > kMaxSmoothingIterations) {
    return absl::InvalidArgumentError(absl::StrCat(
        "options.smoothing_iterations is ", smoothing_iterations, ", but must be 0 (the default, ",
        kDefaultSmoothingIterations, ") to ", kMaxSmoothingIterations));
  }
  // Written so that NaN fails, too.
  if (!(max_displacement >= 0.0f && max_displacement <= kLargestMaxDisplacement)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "options.max_displacement is ", max_displacement, ", but must be 0 (the default, ",
        kDefaultMaxDisplacement, " m) to ", kLargestMaxDisplacement, " m"));
  }
  if (timeout_seconds < 0 || timeout_seconds > kMaxTimeoutSeconds) {
    return absl::InvalidArgumentError(absl::StrCat("options.timeout_seconds is ", timeout_seconds,
                                                   ", but must be 0 (none) to ",
                                                   kMaxTimeoutSeconds));
  }
  return absl::OkStatus();
}

}  // namespace blendwire::predict

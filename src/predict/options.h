// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_OPTIONS_H_
#define BLENDWIRE_PREDICT_OPTIONS_H_

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace blendwire::predict {

inline constexpr int kDefaultSmoothingIterations = 2;
inline constexpr int kMaxSmoothingIterations = 100;
inline constexpr float kDefaultMaxDisplacement = 0.08f;   // metres
inline constexpr float kLargestMaxDisplacement = 100.0f;  // metres
inline constexpr int kMaxTimeoutSeconds = 24 * 60 * 60;

// How a prediction is finished: the contract's PredictionOptions.
struct Options {
  bool apply_smoothing = false;
  int smoothing_iterations = 0;  // 0: kDefaultSmoothingIterations
  bool clamp_extreme_values = false;
  float max_displacement = 0.0f;  // metres; 0: kDefaultMaxDisplacement
  int timeout_seconds = 0;        // 0: none

  int effective_iterations() const;
  float effective_max_displacement() const;
  absl::Duration timeout() const;  // infinite if there is none

  // INVALID_ARGUMENT naming the field, its value and what would be right.
  absl::Status Validate() const;
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_OPTIONS_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MODEL_MIRRORED_SLOTS_H_
#define BLENDWIRE_MODEL_MIRRORED_SLOTS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace blendwire::model {

// For each condition slot the one that it becomes when left and right are exchanged, by name:
// "jawLeft" and "jawRight" ("smile_left" and "smile_right", "smile_L" and "smile_R", "smile.L" and
// "smile.R") are each other's, any other slot is its own. INVALID_ARGUMENT naming a slot of one
// side without its other.
absl::StatusOr<std::vector<size_t>> MirroredSlots(absl::Span<const std::string> slots);

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_MIRRORED_SLOTS_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_NPY_H_
#define BLENDWIRE_CLI_NPY_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace blendwire::cli {

// A NumPy .npy file (format version 1.0, numpy.lib.format): float32, little-endian, shape (n, 3).
// `vectors`: [n,3] flattened.
std::string ToNpy(absl::Span<const float> vectors);

// The other way: [n,3] flattened, from the bytes of a .npy file of any format version that holds
// float32 or float64, little-endian, C order, shape (n, 3). INVALID_ARGUMENT for anything else.
absl::StatusOr<std::vector<float>> FromNpy(absl::string_view bytes);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_NPY_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_NPY_H_
#define BLENDWIRE_CLI_NPY_H_

#include <string>

#include "absl/types/span.h"

namespace blendwire::cli {

// A NumPy .npy file (format version 1.0, numpy.lib.format): float32, little-endian, shape (n, 3).
// `vectors`: [n,3] flattened.
std::string ToNpy(absl::Span<const float> vectors);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_NPY_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_NPZ_H_
#define BLENDWIRE_CLI_NPZ_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace blendwire::cli {

struct NamedVectors {
  std::string name;                // UTF-8, the array's key in numpy.load
  absl::Span<const float> values;  // [n,3] flattened
};

// A NumPy .npz file: an uncompressed zip archive (PKWARE's APPNOTE.TXT 6.3.4, without zip64) with
// one .npy member for each array. Nothing in it depends on the clock, so the same arrays give the
// same bytes. OUT_OF_RANGE for 4 GiB or more, or over 65535 arrays.
absl::StatusOr<std::string> ToNpz(const std::vector<NamedVectors>& arrays);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_NPZ_H_

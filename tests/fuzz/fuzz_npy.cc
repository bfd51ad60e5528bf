// SPDX-License-Identifier: Apache-2.0
//
// NumPy's .npy files: what is read is written and read again as the same bits.

#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/strings/string_view.h"
#include "check.h"
#include "cli/npy.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  const auto read = cli::FromNpy(absl::string_view(reinterpret_cast<const char*>(data), size));
  if (!read.ok()) return 0;
  BLENDWIRE_FUZZ_CHECK(read->size() % 3 == 0);
  const auto again = cli::FromNpy(cli::ToNpy(*read));
  BLENDWIRE_FUZZ_CHECK(again.ok() && again->size() == read->size());
  BLENDWIRE_FUZZ_CHECK(read->empty() || std::memcmp(again->data(), read->data(),
                                                    read->size() * sizeof(float)) == 0);
  return 0;
}

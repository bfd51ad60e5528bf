// SPDX-License-Identifier: Apache-2.0

#include "cli/npy.h"

#include <bit>
#include <string_view>

#include "absl/strings/str_cat.h"

namespace blendwire::cli {

std::string ToNpy(absl::Span<const float> vectors) {
  static_assert(std::endian::native == std::endian::little);
  std::string header = absl::StrCat("{'descr': '<f4', 'fortran_order': False, 'shape': (",
                                    vectors.size() / 3, ", 3), }");
  // Magic (6), version (2), header length (2) and header together are a multiple of 64 bytes long,
  // and the header ends with a line feed.
  constexpr size_t kBefore = 10;
  while ((kBefore + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(header.size() % 256);
  out += static_cast<char>(header.size() / 256);
  out += header;
  out.append(reinterpret_cast<const char*>(vectors.data()), vectors.size() * sizeof(float));
  return out;
}

}  // namespace blendwire::cli

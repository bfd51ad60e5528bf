// SPDX-License-Identifier: Apache-2.0

#include "cli/npy.h"

#include <bit>
#include <cstring>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace blendwire::cli {
namespace {

constexpr absl::string_view kMagic = "\x93NUMPY";

// What follows `'key':` in the header, which is a Python dictionary's text; empty if it is not
// there.
absl::string_view ValueOf(absl::string_view header, absl::string_view key) {
  const std::string quoted = absl::StrCat("'", key, "':");
  const size_t at = header.find(quoted);
  if (at == absl::string_view::npos) return "";
  return absl::StripLeadingAsciiWhitespace(header.substr(at + quoted.size()));
}

// The n of a shape (n, 3); false for any other shape.
bool RowsOfThree(absl::string_view shape, size_t& rows) {
  const size_t end = shape.find(')');
  if (!absl::StartsWith(shape, "(") || end == absl::string_view::npos) return false;
  const std::vector<absl::string_view> sizes = absl::StrSplit(shape.substr(1, end - 1), ',');
  size_t columns = 0;
  return sizes.size() == 2 && absl::SimpleAtoi(sizes[0], &rows) &&
         absl::SimpleAtoi(sizes[1], &columns) && columns == 3;
}

// Splits the file into its header and its data.
bool Split(absl::string_view bytes, absl::string_view& header, absl::string_view& data) {
  if (!absl::StartsWith(bytes, kMagic) || bytes.size() < 12) return false;
  const size_t length_bytes = bytes[6] == 1 ? 2 : 4;  // format version 1, or 2 and 3
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) {
    length |= static_cast<size_t>(static_cast<unsigned char>(bytes[8 + i])) << (8 * i);
  }
  const absl::string_view rest = bytes.substr(8 + length_bytes);
  if (length > rest.size()) return false;
  header = rest.substr(0, length);
  data = rest.substr(length);
  return true;
}

template <typename Number>
std::vector<float> Convert(absl::string_view data) {
  std::vector<float> values(data.size() / sizeof(Number));
  for (size_t i = 0; i < values.size(); ++i) {
    Number number;
    std::memcpy(&number, data.data() + i * sizeof(Number), sizeof(Number));
    values[i] = static_cast<float>(number);
  }
  return values;
}

}  // namespace

absl::StatusOr<std::vector<float>> FromNpy(absl::string_view bytes) {
  static_assert(std::endian::native == std::endian::little);
  absl::string_view header;
  absl::string_view data;
  if (!Split(bytes, header, data)) return absl::InvalidArgumentError("this is no .npy file");
  const absl::string_view type = ValueOf(header, "descr").substr(0, 5);
  const bool is_float = type == "'<f4'";
  size_t rows = 0;
  if ((!is_float && type != "'<f8'") ||
      !absl::StartsWith(ValueOf(header, "fortran_order"), "False") ||
      !RowsOfThree(ValueOf(header, "shape"), rows)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the array is ", absl::StripAsciiWhitespace(header),
                     ", but must be float32 or float64, C order, shape (vertices, 3)"));
  }
  const size_t row_bytes = is_float ? 12 : 24;
  if (data.size() % row_bytes != 0 || data.size() / row_bytes != rows) {
    return absl::InvalidArgumentError(absl::StrCat("the array has ", rows, " rows, but ",
                                                   data.size(), " bytes of data instead of ",
                                                   row_bytes, " for each"));
  }
  return is_float ? Convert<float>(data) : Convert<double>(data);
}

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

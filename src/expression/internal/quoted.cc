// SPDX-License-Identifier: Apache-2.0

#include "expression/internal/quoted.h"

#include <cstddef>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace blendwire::expression::internal {

std::string Quoted(absl::string_view name) {
  if (name.size() <= kLongestName) return absl::StrCat("\"", absl::Utf8SafeCHexEscape(name), "\"");
  size_t end = kLongestName;
  // 10xxxxxx continues a character.
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80) --end;
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(name.substr(0, end)), "…\"");
}

}  // namespace blendwire::expression::internal

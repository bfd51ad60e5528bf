// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/uris.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/json_access.h"
#include "system/files.h"

namespace blendwire::avatar {
namespace {

bool IsHexDigit(char c) { return absl::ascii_isxdigit(static_cast<unsigned char>(c)); }

std::string DecodePercents(absl::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && IsHexDigit(text[i + 1]) &&
        IsHexDigit(text[i + 2])) {
      out += absl::HexStringToBytes(text.substr(i + 1, 2));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace

absl::StatusOr<std::filesystem::path> ResolveUri(const std::filesystem::path& folder,
                                                 absl::string_view uri) {
  const std::string decoded = DecodePercents(uri);
  const std::filesystem::path relative = system::PathFromUtf8(IsUtf8(decoded) ? decoded : "");
  bool leads_out = relative.empty() || relative.is_absolute() || relative.has_root_name() ||
                   relative.has_root_directory() || absl::StrContains(decoded, ':') ||
                   decoded.find('\0') != std::string::npos;
  for (const std::filesystem::path& part : relative) leads_out = leads_out || part == "..";
  if (leads_out) {
    return absl::InvalidArgumentError(
        absl::StrCat("the URI \"", absl::CHexEscape(uri.substr(0, 100)),
                     "\" does not name a file in the avatar's own folder"));
  }
  return folder / relative;
}

bool IsDataUri(absl::string_view uri) { return absl::StartsWith(uri, "data:"); }

absl::StatusOr<std::string> DecodeDataUri(absl::string_view uri) {
  const size_t comma = uri.find(',');
  if (comma == absl::string_view::npos || !absl::EndsWith(uri.substr(0, comma), ";base64")) {
    return absl::InvalidArgumentError("a data-URI must be of the form data:TYPE;base64,DATA");
  }
  std::string bytes;
  if (!absl::Base64Unescape(uri.substr(comma + 1), &bytes)) {
    return absl::InvalidArgumentError("a data-URI holds something that is not base64");
  }
  return bytes;
}

}  // namespace blendwire::avatar

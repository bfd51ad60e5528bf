// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/files.h"

#include <fstream>
#include <random>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/json_access.h"

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

absl::Status WriteAll(const std::filesystem::path& file, absl::string_view bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  if (!out) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot create a file in ", Shown(file.parent_path())));
  }
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot write ", bytes.size(), " bytes to ",
                                                     Shown(file), ": is the disk full?"));
  }
  return absl::OkStatus();
}

}  // namespace

std::string Shown(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

std::filesystem::path PathFromUtf8(absl::string_view text) {
  return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& file, uint64_t max_bytes) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat("there is no file ", Shown(file)));
  }
  if (!std::filesystem::is_regular_file(status)) {
    return absl::InvalidArgumentError(absl::StrCat(Shown(file), " is not a regular file"));
  }
  const uint64_t size = std::filesystem::file_size(file, error);
  if (error) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot read ", Shown(file), ": ", error.message()));
  }
  if (size > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(Shown(file), " has ", size, " bytes, but the limit is ", max_bytes));
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::PermissionDeniedError(absl::StrCat("cannot read ", Shown(file)));
  std::string bytes(static_cast<size_t>(size), '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  if (static_cast<uint64_t>(in.gcount()) != size) {
    return absl::DataLossError(absl::StrCat("cannot read all of ", Shown(file)));
  }
  return bytes;
}

absl::Status WriteFileAtomically(const std::filesystem::path& file, absl::string_view bytes) {
  std::random_device random;
  std::filesystem::path temporary = file;
  temporary += PathFromUtf8(absl::StrCat(".", absl::Hex(random(), absl::kZeroPad8), ".tmp"));
  std::error_code error;
  absl::Status status = WriteAll(temporary, bytes);
  if (status.ok()) {
    std::filesystem::rename(temporary, file, error);
    if (error) {
      status = absl::PermissionDeniedError(
          absl::StrCat("cannot write ", Shown(file), ": ", error.message()));
    }
  }
  if (!status.ok()) std::filesystem::remove(temporary, error);
  return status;
}

absl::StatusOr<std::filesystem::path> ResolveUri(const std::filesystem::path& folder,
                                                 absl::string_view uri) {
  const std::string decoded = DecodePercents(uri);
  const std::filesystem::path relative = PathFromUtf8(IsUtf8(decoded) ? decoded : "");
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

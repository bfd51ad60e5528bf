// SPDX-License-Identifier: Apache-2.0

#include "system/files.h"

#include <fstream>
#include <random>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace blendwire::system {
namespace {

absl::Status WriteAll(const std::filesystem::path& file, absl::string_view bytes) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  if (!out) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot create a file in ", ToUtf8(file.parent_path())));
  }
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  if (!out) {
    return absl::ResourceExhaustedError(absl::StrCat("cannot write ", bytes.size(), " bytes to ",
                                                     ToUtf8(file), ": is the disk full?"));
  }
  return absl::OkStatus();
}

}  // namespace

std::filesystem::path PathFromUtf8(absl::string_view text) {
  return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

std::string ToUtf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

bool HasExtension(absl::string_view file, absl::string_view extension) {
  return absl::AsciiStrToLower(ToUtf8(PathFromUtf8(file).extension())) == extension;
}

absl::StatusOr<std::string> ReadFile(const std::filesystem::path& file, uint64_t max_bytes) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return absl::NotFoundError(absl::StrCat("there is no file ", ToUtf8(file)));
  }
  if (!std::filesystem::is_regular_file(status)) {
    return absl::InvalidArgumentError(absl::StrCat(ToUtf8(file), " is not a regular file"));
  }
  const uint64_t size = std::filesystem::file_size(file, error);
  if (error) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot read ", ToUtf8(file), ": ", error.message()));
  }
  if (size > max_bytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(ToUtf8(file), " has ", size, " bytes, but the limit is ", max_bytes));
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return absl::PermissionDeniedError(absl::StrCat("cannot read ", ToUtf8(file)));
  std::string bytes(static_cast<size_t>(size), '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  if (static_cast<uint64_t>(in.gcount()) != size) {
    return absl::DataLossError(absl::StrCat("cannot read all of ", ToUtf8(file)));
  }
  return bytes;
}

absl::Status WriteFileAtomically(const std::filesystem::path& file, absl::string_view bytes) {
  std::error_code error;
  const std::filesystem::file_type type = std::filesystem::status(file, error).type();
  if (type == std::filesystem::file_type::character || type == std::filesystem::file_type::fifo) {
    return WriteAll(file, bytes);
  }
  std::random_device random;
  std::filesystem::path temporary = file;
  temporary += PathFromUtf8(absl::StrCat(".", absl::Hex(random(), absl::kZeroPad8), ".tmp"));
  absl::Status status = WriteAll(temporary, bytes);
  if (status.ok()) {
    std::filesystem::rename(temporary, file, error);
    if (error) {
      status = absl::PermissionDeniedError(
          absl::StrCat("cannot write ", ToUtf8(file), ": ", error.message()));
    }
  }
  if (!status.ok()) std::filesystem::remove(temporary, error);
  return status;
}

}  // namespace blendwire::system

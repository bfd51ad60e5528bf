// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_FILES_H_
#define BLENDWIRE_SYSTEM_FILES_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::system {

// Between paths and the UTF-8 that arguments and messages are, whatever the system's own encoding.
std::filesystem::path PathFromUtf8(absl::string_view text);
std::string ToUtf8(const std::filesystem::path& path);

// Whether the name of `file` (UTF-8) ends with `extension` (".npy"), in capitals or not.
bool HasExtension(absl::string_view file, absl::string_view extension);

// A regular file's bytes. NOT_FOUND, PERMISSION_DENIED; INVALID_ARGUMENT: not a regular file, or
// larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& file, uint64_t max_bytes);

// Writes beside `file` and renames: there is the old file or the whole new one, never a half. A
// device or a pipe (/dev/stdout) is written to directly.
// PERMISSION_DENIED; RESOURCE_EXHAUSTED: the disk is full.
absl::Status WriteFileAtomically(const std::filesystem::path& file, absl::string_view bytes);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_FILES_H_

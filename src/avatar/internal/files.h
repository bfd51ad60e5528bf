// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_FILES_H_
#define BLENDWIRE_AVATAR_INTERNAL_FILES_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::avatar {

// A path for messages, in UTF-8.
std::string Shown(const std::filesystem::path& path);

// A path from UTF-8, whatever the system's own encoding is.
std::filesystem::path PathFromUtf8(absl::string_view text);

// A regular file's bytes. NOT_FOUND, PERMISSION_DENIED; INVALID_ARGUMENT: not a regular file, or
// larger than `max_bytes`.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& file, uint64_t max_bytes);

// Writes beside `file` and renames: there is the old file or the whole new one, never a half.
absl::Status WriteFileAtomically(const std::filesystem::path& file, absl::string_view bytes);

// The file that a relative URI in a file of `folder` means. INVALID_ARGUMENT for anything that
// would lead out of that folder (absolute paths, "..", a scheme): an avatar from the internet must
// not make this program read other files.
absl::StatusOr<std::filesystem::path> ResolveUri(const std::filesystem::path& folder,
                                                 absl::string_view uri);

// True for "data:…".
bool IsDataUri(absl::string_view uri);
// The bytes of a base64 data-URI.
absl::StatusOr<std::string> DecodeDataUri(absl::string_view uri);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_FILES_H_

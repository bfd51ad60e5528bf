// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_URIS_H_
#define BLENDWIRE_AVATAR_INTERNAL_URIS_H_

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::avatar {

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

#endif  // BLENDWIRE_AVATAR_INTERNAL_URIS_H_

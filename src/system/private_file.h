// SPDX-License-Identifier: Apache-2.0
//
// Files that other users of the machine must not reach.

#ifndef BLENDWIRE_SYSTEM_PRIVATE_FILE_H_
#define BLENDWIRE_SYSTEM_PRIVATE_FILE_H_

#include <filesystem>

#include "absl/status/status.h"

namespace blendwire::system {

// FAILED_PRECONDITION unless `file` is a regular file of this user's that nobody else may read or
// write (0600 or stricter), saying what its mode is and how to change it. On Windows, where a
// profile folder is private already, only that it is a file.
absl::Status CheckPrivateFile(const std::filesystem::path& file);

// Makes sure that `folder` exists and only this user may enter it (0700): creates it if it is not
// there. FAILED_PRECONDITION if it is somebody else's, or others may enter it.
absl::Status EnsurePrivateFolder(const std::filesystem::path& folder);

// Takes everybody else's rights to `file` away (0600).
absl::Status MakePrivate(const std::filesystem::path& file);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_PRIVATE_FILE_H_

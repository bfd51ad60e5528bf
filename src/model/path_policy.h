// SPDX-License-Identifier: Apache-2.0
//
// Which files a client may ask the server to load: those that really lie inside an allowed folder,
// after every symbolic link and ".." has been followed.

#ifndef BLENDWIRE_MODEL_PATH_POLICY_H_
#define BLENDWIRE_MODEL_PATH_POLICY_H_

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::model {

class PathPolicy {
 public:
  // NOT_FOUND if a root is no folder.
  static absl::StatusOr<PathPolicy> Create(const std::vector<std::filesystem::path>& roots);

  // The canonical form of `path` (UTF-8, absolute, or relative to the first root).
  // PERMISSION_DENIED if it lies outside every root, whether it exists or not; NOT_FOUND if it is
  // inside one and no file; INVALID_ARGUMENT if it is empty, longer than 4096 bytes or has a NUL.
  absl::StatusOr<std::filesystem::path> Resolve(absl::string_view path) const;

 private:
  explicit PathPolicy(std::vector<std::filesystem::path> roots) : roots_(std::move(roots)) {}

  std::vector<std::filesystem::path> roots_;  // canonical
};

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_PATH_POLICY_H_

// SPDX-License-Identifier: Apache-2.0

#include "model/path_policy.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace blendwire::model {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxPathBytes = 4096;

fs::path FromUtf8(absl::string_view text) {
  return fs::path(std::u8string(text.begin(), text.end()));
}

std::string Utf8(const fs::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

// Component by component: "/models-private" is not inside "/models".
bool IsInside(const fs::path& path, const fs::path& root) {
  const auto [end_of_root, unused] =
      std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return end_of_root == root.end();
}

}  // namespace

absl::StatusOr<PathPolicy> PathPolicy::Create(const std::vector<fs::path>& roots) {
  std::vector<fs::path> canonical;
  for (const fs::path& root : roots) {
    std::error_code error;
    fs::path resolved = fs::canonical(root, error);
    if (error || !fs::is_directory(resolved, error)) {
      return absl::NotFoundError(
          absl::StrCat("--model-root is \"", Utf8(root), "\", which is no folder"));
    }
    canonical.push_back(std::move(resolved));
  }
  return PathPolicy(std::move(canonical));
}

absl::StatusOr<fs::path> PathPolicy::Resolve(absl::string_view path) const {
  if (path.empty() || path.size() > kMaxPathBytes || path.find('\0') != absl::string_view::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("model_path has ", path.size(),
                     " bytes; it must be the path of a model file, 1 to 4096 bytes without NUL"));
  }
  if (roots_.empty()) {
    return absl::PermissionDeniedError(
        "this server loads no models at run time; start it with --model-root FOLDER to allow it");
  }
  fs::path wanted = FromUtf8(path);
  if (wanted.is_relative()) wanted = roots_.front() / wanted;
  std::error_code error;
  fs::path resolved = fs::weakly_canonical(wanted, error);
  const bool allowed =
      !error && std::any_of(roots_.begin(), roots_.end(),
                            [&](const fs::path& root) { return IsInside(resolved, root); });
  if (!allowed) {
    return absl::PermissionDeniedError(absl::StrCat(
        "model_path is \"", absl::CEscape(path),
        "\", which is outside the folders that this server may load from (",
        absl::StrJoin(
            roots_, ", ",
            [](std::string* out, const fs::path& root) { absl::StrAppend(out, Utf8(root)); }),
        ")"));
  }
  if (!fs::is_regular_file(resolved, error)) {
    return absl::NotFoundError(
        absl::StrCat("model_path is \"", absl::CEscape(path), "\", and there is no such file"));
  }
  return resolved;
}

}  // namespace blendwire::model

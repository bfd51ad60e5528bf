// SPDX-License-Identifier: Apache-2.0

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "system/private_file.h"

namespace blendwire::system {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;

absl::Status Failed(const std::filesystem::path& path, absl::string_view why) {
  return absl::FailedPreconditionError(absl::StrCat(path.string(), " ", why));
}

absl::Status CheckOwnerAndMode(const std::filesystem::path& path, const struct stat& info,
                               int right) {
  if (info.st_uid != geteuid()) {
    return Failed(path, absl::StrCat("belongs to user ", info.st_uid, ", not to this one"));
  }
  if ((info.st_mode & kOthers) != 0) {
    return Failed(path, absl::StrFormat("has mode %04o, so that other users can reach it; "
                                        "run: chmod %04o %s",
                                        info.st_mode & 07777, right, path.string()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckPrivateFile(const std::filesystem::path& file) {
  struct stat info;
  if (stat(file.c_str(), &info) != 0) return Failed(file, strerror(errno));
  if (!S_ISREG(info.st_mode)) return Failed(file, "is not a file");
  return CheckOwnerAndMode(file, info, 0600);
}

absl::Status EnsurePrivateFolder(const std::filesystem::path& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return Failed(folder, strerror(errno));
  struct stat info;
  if (lstat(folder.c_str(), &info) != 0) return Failed(folder, strerror(errno));
  if (!S_ISDIR(info.st_mode)) return Failed(folder, "is not a folder");
  return CheckOwnerAndMode(folder, info, 0700);
}

absl::Status MakePrivate(const std::filesystem::path& file) {
  if (chmod(file.c_str(), 0600) != 0) return Failed(file, strerror(errno));
  return absl::OkStatus();
}

}  // namespace blendwire::system

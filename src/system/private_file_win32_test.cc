// SPDX-License-Identifier: Apache-2.0

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "system/files.h"
#include "system/private_file.h"
#include "system/win32.h"

// After windows.h, which it needs.
#include <aclapi.h>

namespace blendwire::system {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PrivateFileTest : public ::testing::Test {
 protected:
  PrivateFileTest() {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(file_) << "secret\n";
  }
  ~PrivateFileTest() override { fs::remove_all(folder_); }

  // Gives everybody the right to read, besides what there is.
  void LetEverybodyRead(const fs::path& path) {
    EXPLICIT_ACCESSW access = {};
    std::wstring everyone = L"Everyone";
    BuildExplicitAccessWithNameW(&access, everyone.data(), FILE_GENERIC_READ, GRANT_ACCESS,
                                 NO_INHERITANCE);
    PACL old_list = nullptr;
    PACL new_list = nullptr;
    PSECURITY_DESCRIPTOR descriptor = nullptr;
    std::wstring name = path.native();
    ASSERT_EQ(GetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                                    nullptr, &old_list, nullptr, &descriptor),
              DWORD{ERROR_SUCCESS});
    ASSERT_EQ(SetEntriesInAclW(1, &access, old_list, &new_list), DWORD{ERROR_SUCCESS});
    ASSERT_EQ(SetNamedSecurityInfoW(name.data(), SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, nullptr,
                                    nullptr, new_list, nullptr),
              DWORD{ERROR_SUCCESS});
    LocalFree(new_list);
    LocalFree(descriptor);
  }

  const fs::path folder_ = fs::temp_directory_path() /
                           PathFromUtf8("blendwire_private \xe3\x81\x9f\xe3\x82\x8d\xe3\x81\x86");
  const fs::path file_ = folder_ / "token";
};

TEST_F(PrivateFileTest, WhatEverybodyMayReadIsRefusedUntilItIsMadePrivate) {
  LetEverybodyRead(file_);
  const absl::Status status = CheckPrivateFile(file_);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("icacls"));
  EXPECT_THAT(std::string(status.message()), HasSubstr(ToUtf8(file_)));

  ASSERT_TRUE(MakePrivate(file_).ok());
  EXPECT_TRUE(CheckPrivateFile(file_).ok());
  std::ifstream stream(file_);
  std::string line;
  EXPECT_TRUE(std::getline(stream, line)) << "its owner still reads it";
}

TEST_F(PrivateFileTest, AFolderIsNoFileAndAFileNoFolder) {
  EXPECT_EQ(CheckPrivateFile(folder_).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckPrivateFile(folder_ / "none").code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(EnsurePrivateFolder(file_).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(PrivateFileTest, APrivateFolderIsMadeOnce) {
  const fs::path folder = folder_ / "run";
  ASSERT_TRUE(EnsurePrivateFolder(folder).ok());
  EXPECT_TRUE(fs::is_directory(folder));
  EXPECT_TRUE(EnsurePrivateFolder(folder).ok()) << "it is there already";
}

}  // namespace
}  // namespace blendwire::system

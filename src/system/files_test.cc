// SPDX-License-Identifier: Apache-2.0

#include "system/files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "system/process_figures.h"

namespace blendwire::system {
namespace {

using ::testing::HasSubstr;

class FilesTest : public ::testing::Test {
 protected:
  FilesTest() { std::filesystem::create_directories(folder_); }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }

  size_t FilesInFolder() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_)) ++count;
    return count;
  }

  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) /
      PathFromUtf8(absl::StrCat("files_test \xe3\x81\x9f\xe3\x82\x8d\xe3\x81\x86 ",  // たろう
                                ProcessId()));
  const std::filesystem::path file_ = folder_ / "offsets.npy";
};

TEST_F(FilesTest, PathsAreUtf8BothWays) {
  const std::string name = "/\xe9\xa1\x94/Gesicht \xc3\xa4.obj";
  EXPECT_EQ(ToUtf8(PathFromUtf8(name)), name);
}

TEST_F(FilesTest, ExtensionsInAnyCase) {
  EXPECT_TRUE(HasExtension("a/head.NPY", ".npy"));
  EXPECT_FALSE(HasExtension("a/head.npy.json", ".npy"));
  EXPECT_FALSE(HasExtension("a.npy/head", ".npy"));
}

TEST_F(FilesTest, WhatIsWrittenIsReadAndReplacesWhatWas) {
  const std::string bytes("a\0b\r\n\xff", 6);
  ASSERT_EQ(WriteFileAtomically(file_, "an older and longer text"), absl::OkStatus());
  ASSERT_EQ(WriteFileAtomically(file_, bytes), absl::OkStatus());
  EXPECT_EQ(ReadFile(file_, 6).value(), bytes);
  EXPECT_EQ(FilesInFolder(), 1u) << "no temporary file is left";
}

TEST_F(FilesTest, AFailureLeavesNothingBehind) {
  std::filesystem::create_directories(file_ / "in the way");
  EXPECT_EQ(WriteFileAtomically(file_, "x").code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FilesInFolder(), 1u);
  const absl::Status status = WriteFileAtomically(folder_ / "none" / "a.npy", "x");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(status.message(), HasSubstr("none"));
}

TEST_F(FilesTest, ReadingNamesWhatIsWrong) {
  EXPECT_EQ(ReadFile(file_, 10).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReadFile(folder_, 10).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(WriteFileAtomically(file_, "12345678901"), absl::OkStatus());
  EXPECT_THAT(ReadFile(file_, 10).status().message(),
              HasSubstr("has 11 bytes, but the limit is 10"));
}

}  // namespace
}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#include "system/executable_path.h"

#include <cstdio>
#include <filesystem>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace blendwire::system {
namespace {

const int in_this_program = 0;

TEST(ExecutablePathTest, IsThisTest) {
  const auto path = ExecutablePath();
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_TRUE(path->is_absolute());
  EXPECT_TRUE(std::filesystem::is_regular_file(*path));
  EXPECT_EQ(path->filename(), ProgramFileName("system_executable_path_test"));
}

TEST(ModulePathTest, OfThisProgramIsTheProgram) {
  const auto path = ModulePath(&in_this_program);
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_EQ(*path, ExecutablePath().value());
}

TEST(ModulePathTest, StaysRightWhenTheFolderChanges) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(std::filesystem::temp_directory_path());
  EXPECT_EQ(ModulePath(&in_this_program).value(), ExecutablePath().value());
  std::filesystem::current_path(before);
}

TEST(ModulePathTest, OfALibraryIsThatLibrary) {
  const auto path = ModulePath(stdout);  // points into the C library
  ASSERT_TRUE(path.ok()) << path.status();
  EXPECT_NE(*path, ExecutablePath().value());
  EXPECT_TRUE(path->is_absolute());
  EXPECT_TRUE(std::filesystem::is_regular_file(*path));
}

TEST(ModulePathTest, OfNothingIsNotFound) {
  EXPECT_EQ(ModulePath(nullptr).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace blendwire::system

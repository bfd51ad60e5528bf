// SPDX-License-Identifier: Apache-2.0

#include "system/private_file.h"

#include <filesystem>
#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::system {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

class PrivateFileTest : public ::testing::Test {
 protected:
  PrivateFileTest() {
    folder_ = fs::path(::testing::TempDir()) /
              (std::string("blendwire_private_") +
               ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~PrivateFileTest() override { fs::remove_all(folder_); }

  fs::path FileWithMode(unsigned mode) const {
    const fs::path file = folder_ / "file";
    std::ofstream(file) << "secret\n";
    fs::permissions(file, static_cast<fs::perms>(mode));
    return file;
  }

  static unsigned ModeOf(const fs::path& path) {
    return static_cast<unsigned>(fs::status(path).permissions()) & 0777u;
  }

  fs::path folder_;
};

TEST_F(PrivateFileTest, AFileForItsOwnerOnlyIsPrivate) {
  for (const unsigned mode : {0600u, 0400u, 0700u}) {
    EXPECT_TRUE(CheckPrivateFile(FileWithMode(mode)).ok()) << mode;
    fs::remove(folder_ / "file");
  }
}

TEST_F(PrivateFileTest, EveryRightOfOthersIsTold) {
  for (const unsigned mode : {0640u, 0620u, 0610u, 0604u, 0602u, 0601u, 0666u}) {
    const fs::path file = FileWithMode(mode);
    const absl::Status status = CheckPrivateFile(file);
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << mode;
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr(file.string()), HasSubstr("chmod 0600")));
  }
}

TEST_F(PrivateFileTest, AFolderOrNothingIsNoPrivateFile) {
  EXPECT_EQ(CheckPrivateFile(folder_).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CheckPrivateFile(folder_ / "nothing").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(PrivateFileTest, MakePrivateTakesRightsAway) {
  const fs::path file = FileWithMode(0666);
  ASSERT_TRUE(MakePrivate(file).ok());
  EXPECT_EQ(ModeOf(file), 0600u);
  EXPECT_TRUE(CheckPrivateFile(file).ok());
  EXPECT_FALSE(MakePrivate(folder_ / "nothing").ok());
}

TEST_F(PrivateFileTest, AMissingFolderIsMadePrivate) {
  const fs::path made = folder_ / "made";
  ASSERT_TRUE(EnsurePrivateFolder(made).ok());
  EXPECT_EQ(ModeOf(made), 0700u);
  EXPECT_TRUE(EnsurePrivateFolder(made).ok()) << "again";
}

TEST_F(PrivateFileTest, AFolderOthersMayEnterIsRefusedAndLeftAlone) {
  const fs::path open = folder_ / "open";
  fs::create_directory(open);
  fs::permissions(open, static_cast<fs::perms>(0755));
  const absl::Status status = EnsurePrivateFolder(open);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("0755"), HasSubstr("chmod 0700")));
  EXPECT_EQ(ModeOf(open), 0755u);
}

// Whoever can put a link there could lead the socket anywhere.
TEST_F(PrivateFileTest, ALinkToAFolderIsRefused) {
  const fs::path real = folder_ / "real";
  ASSERT_TRUE(EnsurePrivateFolder(real).ok());
  fs::create_directory_symlink(real, folder_ / "link");
  EXPECT_EQ(EnsurePrivateFolder(folder_ / "link").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(PrivateFileTest, AFileOrAFolderInNowhereIsRefused) {
  EXPECT_EQ(EnsurePrivateFolder(FileWithMode(0600)).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(EnsurePrivateFolder(folder_ / "nowhere" / "made").code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace blendwire::system

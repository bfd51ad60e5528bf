// SPDX-License-Identifier: Apache-2.0

#include "system/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "system/process_figures.h"

namespace blendwire::system {
namespace {

namespace fs = std::filesystem;

class Listener {
 public:
  explicit Listener(const fs::path& path) {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    descriptor_ = socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(listen(descriptor_, 0), 0);
  }
  ~Listener() { close(descriptor_); }

 private:
  int descriptor_;
};

class UnixSocketTest : public ::testing::Test {
 protected:
  UnixSocketTest()
      : path_(fs::path(::testing::TempDir()) / absl::StrCat("blendwire_socket_", ProcessId())) {
    fs::remove(path_);
  }
  ~UnixSocketTest() override { fs::remove(path_); }

  fs::path path_;
};

TEST_F(UnixSocketTest, IsInUseAsLongAsSomebodyListens) {
  EXPECT_FALSE(IsSocketInUse(path_)) << "nothing is there";
  {
    const Listener listener(path_);
    EXPECT_TRUE(IsSocketInUse(path_));
  }
  ASSERT_TRUE(fs::exists(path_)) << "closing a socket leaves its file";
  EXPECT_FALSE(IsSocketInUse(path_));
}

// Nobody accepts: the line of waiting connections is soon full, and a connection would wait.
TEST_F(UnixSocketTest, AProgramThatDoesNotAnswerStillUsesIt) {
  const Listener listener(path_);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(IsSocketInUse(path_)) << i;
}

TEST_F(UnixSocketTest, AFileIsNoSocket) {
  std::ofstream(path_) << "text";
  EXPECT_FALSE(IsSocketInUse(path_));
}

TEST_F(UnixSocketTest, APathTooLongForASocketIsNotInUse) {
  EXPECT_FALSE(IsSocketInUse(path_.parent_path() / std::string(200, 'x')));
}

}  // namespace
}  // namespace blendwire::system

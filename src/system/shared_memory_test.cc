// SPDX-License-Identifier: Apache-2.0

#include "system/shared_memory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "system/posix.h"

namespace blendwire::system {
namespace {

bool Exists(const std::string& name) {
  return Descriptor(shm_open(name.c_str(), O_RDONLY, 0)).open();
}

TEST(SharedMemoryTest, WhatOneWritesTheOtherReads) {
  auto created = SharedMemory::Create(10000);
  ASSERT_TRUE(created.ok()) << created.status();
  ASSERT_TRUE((*created)->Reserve(0, 10000).ok());
  auto opened = SharedMemory::Open((*created)->name(), 10000);
  ASSERT_TRUE(opened.ok()) << opened.status();
  std::memcpy((*created)->data() + 9990, "shared", 7);
  EXPECT_STREQ(reinterpret_cast<const char*>((*opened)->data()) + 9990, "shared");
  created->reset();
  EXPECT_STREQ(reinterpret_cast<const char*>((*opened)->data()) + 9990, "shared")
      << "there until nobody has it";
}

// Blocks of 512 bytes that the system has provided.
int64_t Provided(const SharedMemory& memory) {
  const Descriptor file(shm_open(memory.name().c_str(), O_RDONLY, 0));
  struct stat facts = {};
  EXPECT_EQ(fstat(file.get(), &facts), 0);
  return facts.st_blocks;
}

TEST(SharedMemoryTest, WhatIsReservedIsProvidedInWhateverOrder) {
  constexpr size_t kPage = 4096;
  auto memory = SharedMemory::Create(64 * kPage);
  ASSERT_TRUE(memory.ok()) << memory.status();
  ASSERT_TRUE((*memory)->Reserve(40 * kPage, kPage).ok());
  if (Provided(**memory) == 0) GTEST_SKIP() << "this system reserves nothing";
  ASSERT_TRUE((*memory)->Reserve(0, kPage + 100).ok());
  ASSERT_TRUE((*memory)->Reserve(kPage + 128, 3 * kPage).ok());  // the next place
  ASSERT_TRUE((*memory)->Reserve(20 * kPage, 2 * kPage).ok());
  EXPECT_EQ(Provided(**memory), 8 * (1 + 5 + 2));
  for (int i = 0; i < 2; ++i) ASSERT_TRUE((*memory)->Reserve(0, 64 * kPage).ok());
  EXPECT_EQ(Provided(**memory), 8 * 64);
}

TEST(SharedMemoryTest, NoNameIsLeftBehind) {
  auto created = SharedMemory::Create(4096);
  ASSERT_TRUE(created.ok()) << created.status();
  const std::string name = (*created)->name();
  EXPECT_LE(name.size(), 31u) << "macOS takes no more";
  EXPECT_TRUE(Exists(name));
  EXPECT_TRUE(SharedMemory::Open(name, 4096).ok());
  EXPECT_FALSE(Exists(name)) << "opening takes it away";
  auto other = SharedMemory::Create(4096);
  ASSERT_TRUE(other.ok()) << other.status();
  const std::string unopened = (*other)->name();
  EXPECT_NE(unopened, name);
  other->reset();
  EXPECT_FALSE(Exists(unopened)) << "and so does the end of who created it";
}

TEST(SharedMemoryTest, OnlyThisUserMayOpenIt) {
  auto created = SharedMemory::Create(4096);
  ASSERT_TRUE(created.ok()) << created.status();
  const Descriptor file(shm_open((*created)->name().c_str(), O_RDONLY, 0));
  struct stat facts = {};
  ASSERT_EQ(fstat(file.get(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777u, 0600u);
}

TEST(SharedMemoryTest, AServerCannotMakeAClientTouchAnythingElse) {
  const std::string other = "/somebodys-" + std::to_string(getpid());
  const Descriptor file(shm_open(other.c_str(), O_RDWR | O_CREAT, 0600));
  ASSERT_TRUE(file.open());
  for (const std::string& name :
       {other, std::string(), std::string("/blendwire-"), std::string("/blendwire-../../etc/hosts"),
        std::string("/blendwire-0123456789abcde"), std::string("/blendwire-0123456789ABCDEF")}) {
    EXPECT_EQ(SharedMemory::Open(name, 1).status().code(), absl::StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_TRUE(Exists(other));
  shm_unlink(other.c_str());
}

TEST(SharedMemoryTest, SmallerThanPromisedIsRefused) {
  auto created = SharedMemory::Create(4096);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(SharedMemory::Open((*created)->name(), 4097).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(SharedMemoryTest, AMissingOneIsNotFound) {
  EXPECT_EQ(SharedMemory::Open("/blendwire-0123456789abcdef", 1).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace blendwire::system

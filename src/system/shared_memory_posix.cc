// SPDX-License-Identifier: Apache-2.0

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "system/posix.h"
#include "system/random_bytes.h"
#include "system/shared_memory.h"
#include "system/shared_memory_reserve.h"

namespace blendwire::system {
namespace {

// With the random part 27 characters: macOS takes no more than 31.
constexpr absl::string_view kPrefix = "/blendwire-";
constexpr size_t kRandomBytes = 8;
// The system provides whole pages, of this size or a multiple.
constexpr size_t kPage = 4096;

bool IsOurName(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kPrefix) || name.size() != 2 * kRandomBytes) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

struct SharedMemory::Mapping {
  ~Mapping() {
    if (address != MAP_FAILED) munmap(address, size);
    if (created) shm_unlink(name.c_str());
  }

  absl::Status Map(int protection) {
    address = mmap(nullptr, size, protection, MAP_SHARED, file.get(), 0);
    if (address == MAP_FAILED) return SystemError(errno, absl::StrCat("cannot map ", name));
    return absl::OkStatus();
  }

  // Notes that the system has provided [begin, end), if that continues what is noted.
  void Provided(size_t begin, size_t end) {
    const size_t page_end = (end + kPage - 1) / kPage * kPage;
    size_t before = provided.load(std::memory_order_relaxed);
    while (begin <= before && before < page_end &&
           !provided.compare_exchange_weak(before, page_end, std::memory_order_relaxed)) {
    }
  }

  std::string name;
  Descriptor file;
  size_t size = 0;
  std::atomic<size_t> provided = 0;  // bytes from the start
  bool created = false;
  void* address = MAP_FAILED;
};

SharedMemory::SharedMemory(std::unique_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}
SharedMemory::~SharedMemory() = default;

absl::StatusOr<std::unique_ptr<SharedMemory>> SharedMemory::Create(size_t size) {
  auto mapping = std::make_unique<Mapping>();
  mapping->name = absl::StrCat(kPrefix, absl::BytesToHexString(RandomBytes(kRandomBytes)));
  mapping->size = size;
  mapping->file = Descriptor(shm_open(mapping->name.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600));
  if (!mapping->file.open()) {
    return SystemError(errno, absl::StrCat("cannot create shared memory ", mapping->name));
  }
  mapping->created = true;
  if (ftruncate(mapping->file.get(), static_cast<off_t>(size)) != 0) {
    return SystemError(errno,
                       absl::StrCat("cannot make ", mapping->name, " ", size, " bytes long"));
  }
  if (absl::Status status = mapping->Map(PROT_READ | PROT_WRITE); !status.ok()) return status;
  return std::unique_ptr<SharedMemory>(new SharedMemory(std::move(mapping)));
}

absl::StatusOr<std::unique_ptr<SharedMemory>> SharedMemory::Open(const std::string& name,
                                                                 size_t size) {
  // The name came from a server: it must not make us take away anything else of this user's.
  if (!IsOurName(name)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "\"", absl::CHexEscape(name), "\" is no name of shared memory of Blendwire's"));
  }
  auto mapping = std::make_unique<Mapping>();
  mapping->name = name;
  mapping->size = size;
  mapping->file = Descriptor(shm_open(name.c_str(), O_RDONLY, 0));
  if (!mapping->file.open()) {
    return SystemError(errno, absl::StrCat("cannot open shared memory ", name));
  }
  struct stat facts = {};
  if (fstat(mapping->file.get(), &facts) != 0) {
    return SystemError(errno, absl::StrCat("cannot look at shared memory ", name));
  }
  if (facts.st_uid != geteuid() || static_cast<size_t>(facts.st_size) < size) {
    return absl::FailedPreconditionError(absl::StrCat("shared memory ", name,
                                                      " is somebody else's, or has ", facts.st_size,
                                                      " bytes instead of ", size));
  }
  shm_unlink(name.c_str());
  if (absl::Status status = mapping->Map(PROT_READ); !status.ok()) return status;
  return std::unique_ptr<SharedMemory>(new SharedMemory(std::move(mapping)));
}

absl::Status SharedMemory::Reserve(size_t offset, size_t bytes) {
  // The system looks at every page again, however often it is asked.
  if (offset + bytes <= mapping_->provided.load(std::memory_order_relaxed)) {
    return absl::OkStatus();
  }
  if (const int error = ReserveSharedMemory(mapping_->file.get(), offset, bytes); error != 0) {
    return SystemError(error, absl::StrCat("no room for ", bytes, " bytes of shared memory"));
  }
  mapping_->Provided(offset, offset + bytes);
  return absl::OkStatus();
}

const std::string& SharedMemory::name() const { return mapping_->name; }
size_t SharedMemory::size() const { return mapping_->size; }
std::byte* SharedMemory::data() { return static_cast<std::byte*>(mapping_->address); }
const std::byte* SharedMemory::data() const {
  return static_cast<const std::byte*>(mapping_->address);
}

}  // namespace blendwire::system

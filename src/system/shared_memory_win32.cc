// SPDX-License-Identifier: Apache-2.0

#include "system/shared_memory.h"

namespace blendwire::system {

struct SharedMemory::Mapping {};

SharedMemory::SharedMemory(std::unique_ptr<Mapping> mapping) : mapping_(std::move(mapping)) {}
SharedMemory::~SharedMemory() = default;

absl::StatusOr<std::unique_ptr<SharedMemory>> SharedMemory::Create(size_t) {
  return absl::UnimplementedError("shared memory is not used on Windows");
}

absl::StatusOr<std::unique_ptr<SharedMemory>> SharedMemory::Open(const std::string&, size_t) {
  return absl::UnimplementedError("shared memory is not used on Windows");
}

absl::Status SharedMemory::Reserve(size_t, size_t) {
  return absl::UnimplementedError("shared memory is not used on Windows");
}

const std::string& SharedMemory::name() const {
  static const std::string& none = *new std::string();
  return none;
}
size_t SharedMemory::size() const { return 0; }
std::byte* SharedMemory::data() { return nullptr; }
const std::byte* SharedMemory::data() const { return nullptr; }

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_SHARED_MEMORY_H_
#define BLENDWIRE_SYSTEM_SHARED_MEMORY_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace blendwire::system {

// Memory that two processes of one user see at once: one creates it and writes, the other opens it
// by its name and reads. It is there until neither has it any more. Everything here is
// UNIMPLEMENTED on Windows.
class SharedMemory {
 public:
  // New memory of `size` bytes under a random name, which only this user may open. The system
  // provides what has been reserved, not before.
  static absl::StatusOr<std::unique_ptr<SharedMemory>> Create(size_t size);

  // What another process has created, for reading. Takes the name away, so that it cannot be left
  // behind when that process is killed. INVALID_ARGUMENT for a name that Create() does not make;
  // FAILED_PRECONDITION if it belongs to somebody else or is smaller than `size`.
  static absl::StatusOr<std::unique_ptr<SharedMemory>> Open(const std::string& name, size_t size);

  // Takes the name away, if that has not been done.
  ~SharedMemory();
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  // Makes sure that the system has memory for these bytes: writing to them would end the process
  // otherwise. RESOURCE_EXHAUSTED if it has none.
  absl::Status Reserve(size_t offset, size_t bytes);

  const std::string& name() const;
  size_t size() const;
  std::byte* data();  // only to be written to by who created it
  const std::byte* data() const;

 private:
  struct Mapping;
  explicit SharedMemory(std::unique_ptr<Mapping> mapping);

  std::unique_ptr<Mapping> mapping_;
};

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_SHARED_MEMORY_H_

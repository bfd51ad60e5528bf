// SPDX-License-Identifier: Apache-2.0

#include <sys/mman.h>

#include <cstdlib>
#include <limits>
#include <new>

#include "system/large_array.h"

namespace blendwire::system {
namespace {

constexpr size_t kPage = size_t{2} << 20;  // of x86-64, and of arm64 with small pages of 4 KiB

}  // namespace

void LargeArrayDeleter::operator()(float* array) const noexcept { std::free(array); }

LargeArray MakeLargeArray(size_t count) {
  if (count == 0) return nullptr;
  if (count > std::numeric_limits<size_t>::max() / 2 / sizeof(float)) throw std::bad_alloc();
  const size_t bytes = count * sizeof(float);
  if (bytes < 2 * kPage) {
    void* const memory = std::malloc(bytes);
    if (memory == nullptr) throw std::bad_alloc();
    return LargeArray(static_cast<float*>(memory));
  }
  const size_t whole = (bytes + kPage - 1) / kPage * kPage;
  void* const memory = std::aligned_alloc(kPage, whole);
  if (memory == nullptr) throw std::bad_alloc();
  // Whether or not the system does: the array is there either way.
  static_cast<void>(madvise(memory, whole, MADV_HUGEPAGE));
  return LargeArray(static_cast<float*>(memory));
}

}  // namespace blendwire::system

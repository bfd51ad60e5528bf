// SPDX-License-Identifier: Apache-2.0

#include "system/large_array.h"

#include <limits>

#include "system/large_pages.h"

namespace blendwire::system {
namespace {

constexpr size_t kSmallest = 2 * kLargePage;  // arrays below it would mostly be the last page's rest
constexpr size_t kCacheLine = 64;

}  // namespace

LargeArray MakeLargeArray(size_t count) {
  if (count > std::numeric_limits<size_t>::max() / 2 / sizeof(float)) throw std::bad_alloc();
  size_t bytes = count * sizeof(float);
  const bool large = bytes >= kSmallest;
  const std::align_val_t alignment{large ? kLargePage : kCacheLine};
  if (large) bytes = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  void* const memory = ::operator new(bytes, alignment);
  if (large) AskForLargePages(memory, bytes);
  return {static_cast<float*>(memory), LargeArrayDeleter{alignment}};
}

}  // namespace blendwire::system

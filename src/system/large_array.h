// SPDX-License-Identifier: Apache-2.0
//
// Arrays of megabytes, uninitialised. They lie in the system's large pages where these are to be
// had for the asking: to fault in 4 KiB at a time takes about as long as to fill them.

#ifndef BLENDWIRE_SYSTEM_LARGE_ARRAY_H_
#define BLENDWIRE_SYSTEM_LARGE_ARRAY_H_

#include <cstddef>
#include <memory>
#include <new>

namespace blendwire::system {

struct LargeArrayDeleter {
  std::align_val_t alignment{alignof(float)};

  void operator()(float* array) const noexcept { ::operator delete(array, alignment); }
};
using LargeArray = std::unique_ptr<float[], LargeArrayDeleter>;

// Throws std::bad_alloc.
LargeArray MakeLargeArray(size_t count);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_LARGE_ARRAY_H_

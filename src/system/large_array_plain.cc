// SPDX-License-Identifier: Apache-2.0
//
// Where large pages are not to be had, or come by themselves.

#include "system/large_array.h"

namespace blendwire::system {

void LargeArrayDeleter::operator()(float* array) const noexcept { delete[] array; }

LargeArray MakeLargeArray(size_t count) { return LargeArray(new float[count]); }

}  // namespace blendwire::system

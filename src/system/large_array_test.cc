// SPDX-License-Identifier: Apache-2.0

#include "system/large_array.h"

#include <cstddef>
#include <limits>
#include <new>

#include "gtest/gtest.h"

namespace blendwire::system {
namespace {

TEST(LargeArray, AllOfItCanBeWritten) {
  for (const size_t count : {size_t{1}, size_t{1000}, size_t{1} << 20, (size_t{3} << 20) + 1}) {
    const LargeArray array = MakeLargeArray(count);
    for (size_t i = 0; i < count; ++i) array[i] = static_cast<float>(i);
    EXPECT_EQ(array[count - 1], static_cast<float>(count - 1));
    EXPECT_EQ(array[count / 2], static_cast<float>(count / 2));
  }
}

TEST(LargeArray, NothingAndTooMuch) {
  EXPECT_NO_THROW(static_cast<void>(MakeLargeArray(0)));
  for (const size_t share : {size_t{1}, size_t{3}, size_t{7}}) {
    EXPECT_THROW(static_cast<void>(MakeLargeArray(std::numeric_limits<size_t>::max() / share)),
                 std::bad_alloc);
  }
}

}  // namespace
}  // namespace blendwire::system

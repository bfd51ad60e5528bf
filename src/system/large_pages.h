// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_LARGE_PAGES_H_
#define BLENDWIRE_SYSTEM_LARGE_PAGES_H_

#include <cstddef>

namespace blendwire::system {

// Of x86-64, and of arm64 whose small pages have 4 KiB.
inline constexpr size_t kLargePage = size_t{2} << 20;

// Asks the system to put memory that nobody has written to yet into large pages; both arguments are
// multiples of kLargePage. Whether it does makes a difference in time only.
void AskForLargePages(void* memory, size_t bytes);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_LARGE_PAGES_H_

// SPDX-License-Identifier: Apache-2.0
//
// Windows gives large pages to privileged processes only, macOS none on Apple's processors.

#include "system/large_pages.h"

namespace blendwire::system {

void AskForLargePages(void* /*memory*/, size_t /*bytes*/) {}

}  // namespace blendwire::system

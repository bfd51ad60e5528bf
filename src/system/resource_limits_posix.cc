// SPDX-License-Identifier: Apache-2.0

#include <sys/resource.h>

#include <algorithm>

#include "system/resource_limits.h"

namespace blendwire::system {

void LimitMemory(int64_t bytes) {
#ifdef BLENDWIRE_SANITIZED
  static_cast<void>(bytes);  // a sanitizer's shadow memory takes terabytes of addresses
#else
  const auto limit = static_cast<rlim_t>(bytes);
  const struct rlimit memory = {limit, limit};
  setrlimit(RLIMIT_AS, &memory);
#endif
  const struct rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
}

void RaiseDescriptorLimit() {
  constexpr rlim_t kMost = 10240;  // macOS's OPEN_MAX: it takes no more
  struct rlimit descriptors = {};
  if (getrlimit(RLIMIT_NOFILE, &descriptors) != 0 || descriptors.rlim_cur >= kMost) return;
  descriptors.rlim_cur = std::min(descriptors.rlim_max, kMost);
  setrlimit(RLIMIT_NOFILE, &descriptors);
}

}  // namespace blendwire::system

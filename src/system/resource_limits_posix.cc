// SPDX-License-Identifier: Apache-2.0

#include <sys/resource.h>

#include "system/resource_limits.h"

namespace blendwire::system {

void LimitMemory(int64_t bytes) {
  const auto limit = static_cast<rlim_t>(bytes);
  const struct rlimit memory = {limit, limit};
  setrlimit(RLIMIT_AS, &memory);
  const struct rlimit core = {0, 0};
  setrlimit(RLIMIT_CORE, &core);
}

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#include <sys/resource.h>
#include <unistd.h>

#include "system/process_figures.h"

namespace blendwire::system {

absl::Duration ProcessorTime() {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return absl::ZeroDuration();
  return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
}

int64_t ProcessId() { return getpid(); }

}  // namespace blendwire::system

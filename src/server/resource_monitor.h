// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_RESOURCE_MONITOR_H_
#define BLENDWIRE_SERVER_RESOURCE_MONITOR_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/translate.h"

namespace blendwire::server {

// What this process uses. Safe for use from several threads at once.
class ResourceMonitor {
 public:
  ResourceMonitor();

  // Processor use is the mean since the call before (since the start, the first time), but over at
  // least 0.1 s: a call that comes sooner gets the value of the one before.
  void Fill(pb::ResourceUsage& usage);

 private:
  absl::Mutex mutex_;
  absl::Time last_time_ ABSL_GUARDED_BY(mutex_);
  absl::Duration last_processor_time_ ABSL_GUARDED_BY(mutex_);
  double percent_ ABSL_GUARDED_BY(mutex_) = 0.0;
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_RESOURCE_MONITOR_H_

// SPDX-License-Identifier: Apache-2.0

#include "server/resource_monitor.h"

#include "absl/time/clock.h"
#include "system/gpu_figures.h"
#include "system/process_figures.h"

namespace blendwire::server {
namespace {

constexpr absl::Duration kShortestInterval = absl::Milliseconds(100);
constexpr double kMiB = 1024.0 * 1024.0;

}  // namespace

ResourceMonitor::ResourceMonitor()
    : last_time_(absl::Now()), last_processor_time_(system::ProcessorTime()) {}

void ResourceMonitor::Fill(pb::ResourceUsage& usage) {
  absl::MutexLock lock(&mutex_);
  const absl::Time now = absl::Now();
  if (now - last_time_ >= kShortestInterval) {
    const absl::Duration used = system::ProcessorTime();
    percent_ = 100.0 * absl::FDivDuration(used - last_processor_time_, now - last_time_);
    last_time_ = now;
    last_processor_time_ = used;
  }
  usage.set_cpu_usage_percent(static_cast<float>(percent_));
  usage.set_memory_usage_mb(
      static_cast<float>(static_cast<double>(system::ResidentMemoryBytes()) / kMiB));
  const system::GpuFigures gpu = system::ReadGpuFigures();
  usage.set_gpu_memory_usage_mb(
      static_cast<float>(static_cast<double>(gpu.process_memory_bytes) / kMiB));
  usage.set_gpu_utilization_percent(static_cast<float>(gpu.utilization_percent));
}

}  // namespace blendwire::server

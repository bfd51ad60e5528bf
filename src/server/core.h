// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_CORE_H_
#define BLENDWIRE_SERVER_CORE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>

#include "model/device.h"
#include "model/path_policy.h"
#include "model/repository.h"
#include "predict/encoding_cache.h"
#include "predict/layouts.h"
#include "predict/mesh_cache.h"
#include "server/memory_budget.h"
#include "server/shared_regions.h"
#include "server/statistics.h"
#include "server/work_queue.h"
#include "system/process_figures.h"

namespace blendwire::server {

// What one call may ask for. docs/server.md lists them.
struct Limits {
  int64_t max_vertices = 1'000'000;   // of one mesh
  int64_t max_triangles = 4'000'000;  // of one mesh
  int max_batch_items = 1024;
  size_t max_message_bytes = size_t{100} << 20;  // the specification's, both ways
};

// How models are loaded when a call does not say.
struct ModelDefaults {
  model::Device device = model::Device::kAuto;
  int threads = 0;  // 0: one for each processor
};

// What all calls share. Everything in it is safe for use from several threads at once.
struct Core {
  Core(const Limits& call_limits, const WorkQueue::Limits& queue_limits, size_t memory_budget,
       ModelDefaults defaults, model::PathPolicy policy, size_t shared_memory = 0)
      : limits(call_limits),
        model_defaults(defaults),
        paths(std::move(policy)),
        budget(memory_budget / 4),
        scratch(memory_budget - memory_budget / 4),
        regions(shared_memory),
        queue(queue_limits, system::ReleaseFreeMemory) {}

  const Limits limits;
  const ModelDefaults model_defaults;
  const model::PathPolicy paths;
  // Not the wall clock, which may be set while the server runs.
  const std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  model::Repository models;
  predict::Layouts layouts;
  predict::MeshCache meshes{size_t{64} << 20};
  predict::EncodingCache encodings{size_t{192} << 20};
  Statistics statistics;
  MemoryBudget budget;   // requests and answers of all calls, waiting ones included
  MemoryBudget scratch;  // what model runs need while they run
  SharedRegions regions;
  // Requested when the grace period of a shutdown is over: every call that still runs stops.
  std::stop_source abort;
  // Loading and unloading models takes long and must hold up neither predictions nor gRPC. After
  // the other members: its jobs use them.
  WorkQueue management{{.workers = 1, .max_waiting = 16}};
  WorkQueue queue;
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_CORE_H_

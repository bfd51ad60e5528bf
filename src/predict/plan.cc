// SPDX-License-Identifier: Apache-2.0

#include "predict/plan.h"

#include <algorithm>
#include <map>
#include <utility>

namespace blendwire::predict {
namespace {

size_t MaxItems(const Need& need, size_t max_run_bytes) {
  const size_t bytes_each = std::max<size_t>(1, need.mesh->vertices().size() * sizeof(float));
  const size_t by_memory = std::max<size_t>(1, max_run_bytes / bytes_each);
  const auto by_model = static_cast<size_t>(need.model->facts().max_batch);
  return by_model == 0 ? by_memory : std::min(by_memory, by_model);
}

}  // namespace

std::vector<Run> PlanRuns(absl::Span<const Need> items, size_t max_run_bytes) {
  std::vector<Run> runs;
  std::map<std::pair<const model::Model*, const PreparedMesh*>, size_t> open;  // the run to fill up
  for (size_t i = 0; i < items.size(); ++i) {
    const auto key = std::make_pair(items[i].model, items[i].mesh);
    const auto found = open.find(key);
    if (found != open.end() && runs[found->second].size() < MaxItems(items[i], max_run_bytes)) {
      runs[found->second].push_back(i);
    } else {
      open[key] = runs.size();
      runs.push_back({i});
    }
  }
  return runs;
}

}  // namespace blendwire::predict

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_PREDICT_PLAN_H_
#define BLENDWIRE_PREDICT_PLAN_H_

#include <cstddef>
#include <vector>

#include "absl/types/span.h"
#include "model/model.h"
#include "predict/prepared_mesh.h"

namespace blendwire::predict {

// The offsets of one run of several expressions take at most this much memory. In pieces of this
// size the answers to 72 expressions of 20,000 vertices are on their way while the rest is still in
// the model, 7 ms earlier than in one run; smaller ones gain nothing more.
inline constexpr size_t kMaxRunBytes = size_t{9} << 20;

// What one item of a batch needs.
struct Need {
  const model::Model* model = nullptr;
  const PreparedMesh* mesh = nullptr;
};

// One run of a model: the positions of its items, in their order.
using Run = std::vector<size_t>;

// Groups items of one model and one mesh into as few runs as the model (max_batch) and kMaxRunBytes
// allow. Runs are in the order of their first items, so that early items are done early.
std::vector<Run> PlanRuns(absl::Span<const Need> items, size_t max_run_bytes = kMaxRunBytes);

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_PLAN_H_

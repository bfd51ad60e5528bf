// SPDX-License-Identifier: Apache-2.0
//
// A prediction: run the model, smooth, average with the mirror image, clamp, judge.

#ifndef BLENDWIRE_PREDICT_PREDICT_H_
#define BLENDWIRE_PREDICT_PREDICT_H_

#include <functional>
#include <stop_token>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "mesh/quality.h"
#include "model/model.h"
#include "predict/encoding_cache.h"
#include "predict/options.h"
#include "predict/prepared_mesh.h"

namespace blendwire::predict {

// Where the time of one prediction went. What several share, each gets an equal part of.
struct Timings {
  absl::Duration preprocessing;   // normals, neighbours
  absl::Duration inference;       // in the model
  absl::Duration postprocessing;  // smoothing, clamp, quality
};

struct Outcome {
  absl::Status status;
  mesh::Quality quality;
  Timings timings;
};

// One expression to predict, all of it valid (EncodeCondition, Options::Validate).
struct Task {
  absl::Span<const float> condition;  // [K]
  Options options;
  // [N,3], written when the outcome is OK, undefined otherwise. Called once, just before the model
  // runs or the result is copied, so that waiting tasks hold no memory.
  std::function<absl::Span<float>()> output;
  // Called exactly once, on the calling thread, as soon as this task is done.
  std::function<void(const Outcome&)> done;
};

// Predicts all tasks in one run of the model, which must be able to take as many. What the model
// makes of the mesh is taken from `encodings`, or kept there. Outcomes: CANCELLED for the tasks
// that are left when `stop` is requested, INTERNAL if the model fails or makes NaN or infinite
// offsets, INVALID_ARGUMENT if the model does not take such a mesh, RESOURCE_EXHAUSTED if there is
// not enough memory.
void Predict(const model::Model& model, const PreparedMesh& mesh, absl::Span<const Task> tasks,
             EncodingCache& encodings, std::stop_token stop);

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_PREDICT_H_

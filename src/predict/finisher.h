// SPDX-License-Identifier: Apache-2.0
//
// What comes after the model has run: smoothing, the mean with the mirror image, parts that do not
// bend, contact, limits.

#ifndef BLENDWIRE_PREDICT_FINISHER_H_
#define BLENDWIRE_PREDICT_FINISHER_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/span.h"
#include "mesh/mirror.h"
#include "mesh/quality.h"
#include "mesh/smoothing.h"
#include "model/model.h"
#include "predict/condition_rows.h"
#include "predict/encoding.h"
#include "predict/predict.h"
#include "predict/prepared_mesh.h"

namespace blendwire::predict {

// Finishes the tasks of one run. All that it is given must outlive it.
//
// An expression and its mirror image both need either's row of `raw`. A row is smoothed once, in
// its place, if all tasks want it alike.
class Finisher {
 public:
  // `raw` [rows,N,3] is the model's answer, or the only task's own output.
  Finisher(const model::Model& model, const PreparedMesh& mesh, const mesh::MirrorMap& mirror,
           const Encoding& encoding, absl::Span<const Task> tasks, const ConditionRows& rows,
           absl::Span<float> raw);

  // Before the tasks `first` to `last` are finished, and beside no other call. May throw
  // std::bad_alloc, as Finish() may.
  void SmoothRows(size_t first, size_t last);

  // Writes `output` [N,3]. INTERNAL if the model made what is not finite. Several tasks may be
  // finished at once.
  absl::Status Finish(size_t index, absl::Span<float> output, mesh::Quality& quality);

 private:
  // What finishing one task needs besides its rows.
  struct Scratch {
    mesh::SmoothingScratch smoothing;
    std::vector<float> own;
    std::vector<float> mirrored;
  };

  std::unique_ptr<Scratch> TakeScratch();
  void GiveBack(std::unique_ptr<Scratch> scratch);
  absl::Span<float> Row(size_t row) const;
  void Smooth(Scratch& scratch, size_t index, absl::Span<float> output) const;
  absl::Span<const float> Smoothed(size_t row, int iterations, Scratch& scratch,
                                   std::vector<float>& copy) const;

  const model::Model& model_;
  const PreparedMesh& mesh_;
  const mesh::MirrorMap& mirror_;
  const Encoding& encoding_;
  absl::Span<const Task> tasks_;
  const ConditionRows& rows_;
  absl::Span<float> raw_;
  bool alike_;                  // all tasks want as much smoothing
  std::vector<char> smoothed_;  // rows, in their places

  absl::Mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace blendwire::predict

#endif  // BLENDWIRE_PREDICT_FINISHER_H_

// SPDX-License-Identifier: Apache-2.0

#include "predict/finisher.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "contact/contact.h"
#include "mesh/clamp.h"
#include "mesh/rigid_parts.h"
#include "mesh/stretch.h"
#include "mesh/vertices.h"
#include "predict/closure.h"
#include "system/parallel_for.h"

namespace blendwire::predict {
namespace {

absl::Status CheckFinite(absl::Span<const float> offsets, const model::ModelFacts& facts) {
  if (mesh::AllFinite(offsets)) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      "the model (version ", facts.version,
      ") made NaN or infinite offsets for this mesh and expression; the result is discarded"));
}

bool SmoothedAlike(absl::Span<const Task> tasks) {
  return std::all_of(tasks.begin(), tasks.end(), [&](const Task& task) {
    return task.options.effective_iterations() == tasks.front().options.effective_iterations();
  });
}

}  // namespace

Finisher::Finisher(const model::Model& model, const PreparedMesh& mesh,
                   const mesh::MirrorMap& mirror, const Encoding& encoding,
                   absl::Span<const Task> tasks, const ConditionRows& rows, absl::Span<float> raw)
    : model_(model),
      mesh_(mesh),
      mirror_(mirror),
      encoding_(encoding),
      tasks_(tasks),
      rows_(rows),
      raw_(raw),
      alike_(SmoothedAlike(tasks)),
      smoothed_(rows.count, 0) {}

void Finisher::SmoothRows(size_t first, size_t last) {
  if (mirror_.empty() || !alike_) return;
  std::vector<size_t> wanted;
  for (size_t task = first; task < last; ++task) {
    for (const size_t row : {task, rows_.mirrored[task]}) {
      if (std::exchange(smoothed_[row], 1) == 0) wanted.push_back(row);
    }
  }
  const int iterations = tasks_.front().options.effective_iterations();
  system::ParallelFor(wanted.size(), 1, [&](size_t i, size_t) {
    std::unique_ptr<Scratch> scratch = TakeScratch();
    mesh::SmoothOffsets(mesh_.adjacency(), iterations, Row(wanted[i]), scratch->smoothing);
    GiveBack(std::move(scratch));
  });
}

absl::Status Finisher::Finish(size_t index, absl::Span<float> output, mesh::Quality& quality) {
  const Task& task = tasks_[index];
  std::unique_ptr<Scratch> scratch = TakeScratch();
  Smooth(*scratch, index, output);
  if (absl::Status status = CheckFinite(output, model_.facts()); !status.ok()) return status;
  if (model_.facts().rigid_solids) {
    mesh::MakeRigid(mesh_.rigid_parts(), mesh_.vertices(), output);
  }
  // After the smoothing, which would part again what meets.
  if (model_.facts().has_margins) {
    contact::Close(encoding_.Contact(mesh_), ClosureOf(task.condition, model_.facts().contact),
                   output);
  }
  const bool limited = model_.facts().max_stretch > 0.0f;
  if (limited) {
    mesh::LimitStretch(mesh_.adjacency(), mesh_.shortest_edges(), mesh_.vertices(),
                       model_.facts().max_stretch, output, scratch->smoothing);
  }
  size_t shortened = 0;
  if (task.options.clamp_extreme_values) {
    shortened = mesh::ClampOffsets(task.options.effective_max_displacement(), output);
  }
  quality = limited && shortened == 0
                ? mesh::MeasureLimitedQuality(mesh_.adjacency(), output, scratch->smoothing)
                : mesh::MeasureQuality(mesh_.adjacency(), output, scratch->smoothing);
  GiveBack(std::move(scratch));
  return absl::OkStatus();
}

std::unique_ptr<Finisher::Scratch> Finisher::TakeScratch() {
  const absl::MutexLock lock(&mutex_);
  if (idle_.empty()) return std::make_unique<Scratch>();
  std::unique_ptr<Scratch> scratch = std::move(idle_.back());
  idle_.pop_back();
  return scratch;
}

void Finisher::GiveBack(std::unique_ptr<Scratch> scratch) {
  const absl::MutexLock lock(&mutex_);
  idle_.push_back(std::move(scratch));
}

absl::Span<float> Finisher::Row(size_t row) const {
  const size_t floats = mesh_.vertices().size();
  return raw_.subspan(row * floats, floats);
}

// Smoothing follows the triangles, which seldom are as symmetric as the vertices: so a row and its
// mirror image are averaged after it.
void Finisher::Smooth(Scratch& scratch, size_t index, absl::Span<float> output) const {
  const int iterations = tasks_[index].options.effective_iterations();
  if (!mirror_.empty()) {
    const absl::Span<const float> own = Smoothed(index, iterations, scratch, scratch.own);
    const absl::Span<const float> mirrored =
        Smoothed(rows_.mirrored[index], iterations, scratch, scratch.mirrored);
    return mesh::AverageWithMirror(mirror_, own, mirrored, output);
  }
  const absl::Span<const float> raw = Row(index);
  if (raw.data() != output.data()) std::copy(raw.begin(), raw.end(), output.begin());
  mesh::SmoothOffsets(mesh_.adjacency(), iterations, output, scratch.smoothing);
}

// A row as the task wants it; in `copy`, if others want it otherwise.
absl::Span<const float> Finisher::Smoothed(size_t row, int iterations, Scratch& scratch,
                                           std::vector<float>& copy) const {
  const absl::Span<float> offsets = Row(row);
  if (alike_ || iterations == 0) return offsets;
  copy.assign(offsets.begin(), offsets.end());
  mesh::SmoothOffsets(mesh_.adjacency(), iterations, absl::MakeSpan(copy), scratch.smoothing);
  return copy;
}

}  // namespace blendwire::predict

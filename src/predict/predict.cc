// SPDX-License-Identifier: Apache-2.0

#include "predict/predict.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "contact/contact.h"
#include "mesh/clamp.h"
#include "mesh/mirror.h"
#include "mesh/smoothing.h"
#include "mesh/vertices.h"
#include "predict/closure.h"
#include "predict/condition_rows.h"

namespace blendwire::predict {
namespace {

// Runs `step` and adds the time it took to `total`.
template <typename Step>
void Timed(absl::Duration& total, Step step) {
  const absl::Time start = absl::Now();
  step();
  total += absl::Now() - start;
}

absl::Status CheckFinite(absl::Span<const float> offsets, const model::ModelFacts& facts) {
  if (mesh::AllFinite(offsets)) return absl::OkStatus();
  return absl::InternalError(absl::StrCat(
      "the model (version ", facts.version,
      ") made NaN or infinite offsets for this mesh and expression; the result is discarded"));
}

// The rows of a run, smoothed for whoever asks: an expression and its mirror image both need
// either's row, which is smoothed once then, in its place, if all tasks want it alike.
class SmoothedRows {
 public:
  SmoothedRows(const PreparedMesh& mesh, absl::Span<const Task> tasks, absl::Span<float> raw)
      : mesh_(mesh), raw_(raw), done_(raw.size() / mesh.vertices().size(), 0) {
    const auto alike = [&tasks](const Task& task) {
      return task.options.effective_iterations() == tasks.front().options.effective_iterations();
    };
    alike_ = std::all_of(tasks.begin(), tasks.end(), alike);
  }

  // Valid until the next call with the same `copy`, where the row goes if it cannot be smoothed in
  // its place.
  absl::Span<const float> Get(size_t row, int iterations, std::vector<float>& copy) {
    const size_t floats = mesh_.vertices().size();
    absl::Span<float> offsets = raw_.subspan(row * floats, floats);
    if (iterations == 0) return offsets;
    if (!alike_) {
      copy.assign(offsets.begin(), offsets.end());
      offsets = absl::MakeSpan(copy);
    }
    if (!alike_ || done_[row] == 0) {
      mesh::SmoothOffsets(mesh_.adjacency(), iterations, offsets, scratch_);
    }
    done_[row] = 1;
    return offsets;
  }

 private:
  const PreparedMesh& mesh_;
  absl::Span<float> raw_;
  std::vector<char> done_;  // of each row
  bool alike_ = false;
  mesh::SmoothingScratch scratch_;
};

// The tasks' offsets after the model has run; `raw` are those of all rows, or the only task's own
// output.
class Finisher {
 public:
  Finisher(const model::Model& model, const PreparedMesh& mesh, const mesh::MirrorMap& mirror,
           const Encoding& encoding, absl::Span<const Task> tasks, const ConditionRows& rows,
           absl::Span<float> raw)
      : model_(model),
        mesh_(mesh),
        mirror_(mirror),
        encoding_(encoding),
        tasks_(tasks),
        rows_(rows),
        raw_(raw),
        smoothed_rows_(mesh, tasks, raw) {}

  absl::Status Finish(size_t index, absl::Span<float> output, Outcome& outcome) {
    const Task& task = tasks_[index];
    absl::Status status;
    Timed(outcome.timings.postprocessing, [&] {
      Smooth(index, output);
      status = CheckFinite(output, model_.facts());
      if (!status.ok()) return;
      // After the smoothing, which would part again what meets.
      if (model_.facts().has_margins) {
        contact::Close(encoding_.Contact(mesh_), ClosureOf(task.condition, model_.facts().contact),
                       output);
      }
      if (task.options.clamp_extreme_values) {
        mesh::ClampOffsets(task.options.effective_max_displacement(), output);
      }
      outcome.quality = mesh::MeasureQuality(mesh_.adjacency(), output, scratch_);
    });
    return status;
  }

 private:
  // Smoothing follows the triangles, which seldom are as symmetric as the vertices: so a row and
  // its mirror image are averaged after it.
  void Smooth(size_t index, absl::Span<float> output) {
    const int iterations = tasks_[index].options.effective_iterations();
    if (!mirror_.empty()) {
      const absl::Span<const float> own = smoothed_rows_.Get(index, iterations, own_);
      const absl::Span<const float> mirrored =
          smoothed_rows_.Get(rows_.mirrored[index], iterations, mirrored_);
      return mesh::AverageWithMirror(mirror_, own, mirrored, output);
    }
    const absl::Span<const float> raw = raw_.subspan(index * output.size(), output.size());
    if (raw.data() != output.data()) std::copy(raw.begin(), raw.end(), output.begin());
    mesh::SmoothOffsets(mesh_.adjacency(), iterations, output, scratch_);
  }

  const model::Model& model_;
  const PreparedMesh& mesh_;
  const mesh::MirrorMap& mirror_;
  const Encoding& encoding_;
  absl::Span<const Task> tasks_;
  const ConditionRows& rows_;
  absl::Span<float> raw_;
  SmoothedRows smoothed_rows_;
  std::vector<float> own_;
  std::vector<float> mirrored_;
  mesh::SmoothingScratch scratch_;
};

// Runs `step`; memory that is not there fails the prediction, not the process.
template <typename Step>
absl::Status WithinMemory(Step step) {
  try {
    return step();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("there is not enough memory for this prediction");
  }
}

void FailAll(absl::Span<const Task> tasks, const absl::Status& status, const Timings& timings) {
  for (const Task& task : tasks) task.done(Outcome{status, {}, timings});
}

// What is symmetric about the mesh, if the model wants to know.
const mesh::MirrorMap& MirrorFor(const model::ModelFacts& facts, const PreparedMesh& mesh) {
  static const mesh::MirrorMap* const kNothing = new mesh::MirrorMap;
  return facts.mirrored_slots.empty() ? *kNothing : mesh.mirror();
}

ConditionRows RowsFor(const model::ModelFacts& facts, const mesh::MirrorMap& mirror,
                      absl::Span<const Task> tasks) {
  std::vector<absl::Span<const float>> conditions;
  conditions.reserve(tasks.size());
  for (const Task& task : tasks) conditions.push_back(task.condition);
  if (mirror.empty()) return RowsOf(conditions, {});
  return RowsOf(conditions, facts.mirrored_slots);
}

// Runs the model; `encoding` is what it made of the mesh, now or before.
absl::Status RunModel(const model::Model& model, const PreparedMesh& mesh,
                      const mesh::MirrorMap& mirror, EncodingCache& encodings,
                      model::RunArguments arguments, std::stop_token stop,
                      std::shared_ptr<const Encoding>& encoding) {
  const model::ModelFacts& facts = model.facts();
  const size_t bytes = Encoding::Bytes(facts, mesh.vertex_count());
  EncodingCache::Lookup lookup = facts.feature_size > 0
                                     ? encodings.Get(mesh.derived(), facts.sha256, bytes, stop)
                                     : EncodingCache::Lookup{};
  if (lookup.encoding != nullptr) {
    encoding = std::move(lookup.encoding);
    arguments.features = encoding->features();
    return model.Run(arguments, stop);
  }
  auto fresh = std::make_shared<Encoding>(facts, mesh.vertex_count(), lookup.turn.has_value());
  arguments.encoded = fresh->features();
  arguments.margins = fresh->margins();
  const absl::Status status = model.Run(arguments, stop);
  if (!status.ok()) return status;
  if (!mirror.empty() && facts.has_margins) {
    mesh::AverageScalarsWithMirror(mirror, model::kMarginChannels, fresh->margins());
  }
  encoding = std::move(fresh);
  if (lookup.turn.has_value()) lookup.turn->Keep(encoding);
  return status;
}

}  // namespace

void Predict(const model::Model& model, const PreparedMesh& mesh, absl::Span<const Task> tasks,
             EncodingCache& encodings, std::stop_token stop) {
  if (tasks.empty()) return;
  const size_t floats = mesh.vertices().size();
  const auto share = static_cast<double>(tasks.size());
  const mesh::MirrorMap* mirror = nullptr;
  ConditionRows rows;
  // A single task's offsets are written where they are wanted; several come in one piece, and each
  // is copied out, or averaged with its mirror image, when its turn comes. Uninitialised: the model
  // writes every value.
  bool in_place = false;
  std::unique_ptr<float[]> buffer;
  absl::Span<float> raw;
  Timings timings;
  std::shared_ptr<const Encoding> encoding;
  const absl::Status status = WithinMemory([&] {
    absl::Span<const float> normals;
    Timed(timings.preprocessing, [&] {
      mesh.adjacency();
      if (model.facts().takes_normals) normals = mesh.normals();
      mirror = &MirrorFor(model.facts(), mesh);
    });
    // Nothing is allocated for what is stopped already.
    if (stop.stop_requested()) return absl::CancelledError("cancelled before the model ran");
    rows = RowsFor(model.facts(), *mirror, tasks);
    in_place = rows.count == 1 && mirror->empty();
    if (in_place) {
      raw = tasks.front().output();
    } else {
      buffer.reset(new float[floats * rows.count]);
      raw = absl::MakeSpan(buffer.get(), floats * rows.count);
    }
    absl::Status run;
    Timed(timings.inference, [&] {
      run = RunModel(model, mesh, *mirror, encodings,
                     {mesh.vertices(), normals, rows.values, static_cast<int64_t>(rows.count), raw},
                     stop, encoding);
    });
    return run;
  });
  timings.preprocessing /= share;
  timings.inference /= share;
  if (!status.ok()) return FailAll(tasks, status, timings);

  Finisher finisher(model, mesh, *mirror, *encoding, tasks, rows, raw);
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (stop.stop_requested()) {
      return FailAll(tasks.subspan(i), absl::CancelledError("cancelled"), timings);
    }
    Outcome outcome;
    outcome.timings = timings;
    outcome.status = WithinMemory(
        [&] { return finisher.Finish(i, in_place ? raw : tasks[i].output(), outcome); });
    tasks[i].done(outcome);
  }
}

}  // namespace blendwire::predict

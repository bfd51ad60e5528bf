// SPDX-License-Identifier: Apache-2.0

#include "predict/predict.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

#include "absl/time/clock.h"
#include "mesh/mirror.h"
#include "predict/condition_rows.h"
#include "predict/finisher.h"
#include "system/large_array.h"
#include "system/parallel_for.h"

namespace blendwire::predict {
namespace {

// Expressions that are finished beside each other.
constexpr size_t kTogether = 16;

// Runs `step` and adds the time it took to `total`.
template <typename Step>
void Timed(absl::Duration& total, Step step) {
  const absl::Time start = absl::Now();
  step();
  total += absl::Now() - start;
}

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

// Finishes the tasks `first` to `last` of a run. Their outputs are asked for here, but for an only
// one that lies `in_place` already. Not OK: none of them is done, and none after them can be.
absl::Status FinishTogether(Finisher& finisher, absl::Span<const Task> tasks, size_t first,
                            size_t last, absl::Span<float> in_place, const Timings& timings) {
  absl::Duration smoothing;
  absl::Status smoothed = WithinMemory([&] {
    Timed(smoothing, [&] { finisher.SmoothRows(first, last); });
    return absl::OkStatus();
  });
  if (!smoothed.ok()) return smoothed;
  const size_t count = last - first;
  std::vector<Outcome> outcomes(count, Outcome{{}, {}, timings});
  std::vector<absl::Span<float>> outputs(count, in_place);
  for (size_t i = 0; i < count; ++i) {
    outcomes[i].timings.postprocessing += smoothing / static_cast<double>(count);
    if (!in_place.empty()) continue;
    outcomes[i].status = WithinMemory([&] {
      outputs[i] = tasks[first + i].output();
      return absl::OkStatus();
    });
  }
  system::ParallelFor(count, 1, [&](size_t i, size_t) {
    if (!outcomes[i].status.ok()) return;
    outcomes[i].status = WithinMemory([&] {
      absl::Status status;
      Timed(outcomes[i].timings.postprocessing, [&] {
        status = finisher.Finish(first + i, outputs[i], outcomes[i].quality);
      });
      return status;
    });
  });
  for (size_t i = 0; i < count; ++i) tasks[first + i].done(outcomes[i]);
  return absl::OkStatus();
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
  system::LargeArray buffer;
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
      buffer = system::MakeLargeArray(floats * rows.count);
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
  // A few at a time, each by one thread, so that the first answers need not wait for the last.
  for (size_t first = 0; first < tasks.size(); first += kTogether) {
    absl::Status going = absl::CancelledError("cancelled");
    if (!stop.stop_requested()) {
      going = FinishTogether(finisher, tasks, first, std::min(first + kTogether, tasks.size()),
                             in_place ? raw : absl::Span<float>(), timings);
    }
    if (!going.ok()) return FailAll(tasks.subspan(first), going, timings);
  }
}

}  // namespace blendwire::predict

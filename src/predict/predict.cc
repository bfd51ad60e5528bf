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
#include "mesh/smoothing.h"
#include "mesh/vertices.h"
#include "predict/closure.h"

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

// One task after the model has run; `raw` are its offsets, maybe in the task's own output already.
class Finisher {
 public:
  Finisher(const model::Model& model, const PreparedMesh& mesh, const Encoding& encoding)
      : model_(model), mesh_(mesh), encoding_(encoding) {}

  absl::Status Finish(const Task& task, absl::Span<const float> raw, absl::Span<float> output,
                      Outcome& outcome) {
    absl::Status status;
    Timed(outcome.timings.postprocessing, [&] {
      status = CheckFinite(raw, model_.facts());
      if (!status.ok()) return;
      if (raw.data() != output.data()) std::copy(raw.begin(), raw.end(), output.begin());
      const mesh::Adjacency& adjacency = mesh_.adjacency();
      mesh::SmoothOffsets(adjacency, task.options.effective_iterations(), output, scratch_);
      // After the smoothing, which would part again what meets.
      if (model_.facts().has_margins) {
        contact::Close(encoding_.Contact(mesh_), ClosureOf(task.condition, model_.facts().contact),
                       output);
      }
      if (task.options.clamp_extreme_values) {
        mesh::ClampOffsets(task.options.effective_max_displacement(), output);
      }
      outcome.quality = mesh::MeasureQuality(adjacency, output, scratch_);
    });
    return status;
  }

 private:
  const model::Model& model_;
  const PreparedMesh& mesh_;
  const Encoding& encoding_;
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

std::vector<float> ConditionRows(absl::Span<const Task> tasks) {
  std::vector<float> rows;
  rows.reserve(tasks.size() * tasks.front().condition.size());
  for (const Task& task : tasks) {
    rows.insert(rows.end(), task.condition.begin(), task.condition.end());
  }
  return rows;
}

// Runs the model; `encoding` is what it made of the mesh, now or before.
absl::Status RunModel(const model::Model& model, const PreparedMesh& mesh, EncodingCache& encodings,
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
  // A single task's offsets are written where they are wanted; several come in one piece, and each
  // is copied out when its turn comes. Uninitialised: the model writes every value.
  const bool in_place = tasks.size() == 1;
  std::unique_ptr<float[]> buffer;
  absl::Span<float> raw;
  Timings timings;
  std::shared_ptr<const Encoding> encoding;
  const absl::Status status = WithinMemory([&] {
    absl::Span<const float> normals;
    Timed(timings.preprocessing, [&] {
      mesh.adjacency();
      if (model.facts().takes_normals) normals = mesh.normals();
    });
    // Nothing is allocated for what is stopped already.
    if (stop.stop_requested()) return absl::CancelledError("cancelled before the model ran");
    if (in_place) {
      raw = tasks.front().output();
    } else {
      buffer.reset(new float[floats * tasks.size()]);
      raw = absl::MakeSpan(buffer.get(), floats * tasks.size());
    }
    const std::vector<float> conditions = ConditionRows(tasks);
    absl::Status run;
    Timed(timings.inference, [&] {
      run =
          RunModel(model, mesh, encodings,
                   {mesh.vertices(), normals, conditions, static_cast<int64_t>(tasks.size()), raw},
                   stop, encoding);
    });
    return run;
  });
  timings.preprocessing /= share;
  timings.inference /= share;
  if (!status.ok()) return FailAll(tasks, status, timings);

  Finisher finisher(model, mesh, *encoding);
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (stop.stop_requested()) {
      return FailAll(tasks.subspan(i), absl::CancelledError("cancelled"), timings);
    }
    Outcome outcome;
    outcome.timings = timings;
    outcome.status = WithinMemory([&] {
      const absl::Span<float> output = in_place ? raw : tasks[i].output();
      return finisher.Finish(tasks[i], raw.subspan(i * floats, floats), output, outcome);
    });
    tasks[i].done(outcome);
  }
}

}  // namespace blendwire::predict

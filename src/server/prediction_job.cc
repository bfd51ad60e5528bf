// SPDX-License-Identifier: Apache-2.0

#include "server/prediction_job.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace blendwire::server {
namespace {

// What the default model needs while it runs, as measured, with normals and neighbours: bytes for
// each vertex, and for each offset that is predicted.
constexpr size_t kScratchBytesPerVertex = 3584;
constexpr size_t kScratchBytesPerOffset = 64;
constexpr size_t kAnswerBytesPerVertex = 3 * sizeof(float);

template <typename Request>
size_t MeshBytes(const Request& request) {
  return VerticesOf(request).size() * sizeof(float) +
         TrianglesOf(request.topology()).size() * sizeof(uint32_t);
}

absl::Status TimedOut(const predict::Options& options) {
  return absl::DeadlineExceededError(
      absl::StrCat("options.timeout_seconds (", options.timeout_seconds, ") have passed"));
}

}  // namespace

void PredictionJob::Start(const std::vector<const pb::VertexOffsetRequest*>& items,
                          const pb::BatchPredictionRequest* batch, int max_parallel,
                          const std::function<absl::StatusOr<size_t>(size_t)>& memory_for_answers) {
  // One more than there are items: nothing ends before everything has been started.
  left_ = items.size() + 1;
  refused_ = PrepareItems(items, batch);
  if (!refused_.ok()) {
    for (size_t i = 0; i < items_.size(); ++i) AbandonItems({i}, refused_);
    return CountDown(1);
  }
  PlanRuns();
  for (const pb::VertexOffsetRequest* item : items) request_bytes_ += MeshBytes(*item);
  if (batch != nullptr) request_bytes_ += MeshBytes(*batch);
  for (size_t i = 0; i < items_.size(); ++i) {
    if (!items_[i].invalid.ok()) {
      FinishItem(i, predict::Outcome{items_[i].invalid, {}, {}}, false, absl::ZeroDuration());
    }
  }
  if (!runs_.empty()) {
    refused_ = Admit(memory_for_answers, max_parallel);
    if (!refused_.ok()) {
      for (const predict::Run& run : runs_) AbandonItems(run, refused_);
    } else {
      abort_.emplace(core_.abort.get_token(), [self = weak_from_this()] {
        if (const auto job = self.lock()) job->Stop(StopReason::kShutdown);
      });
      StopWhenTimeIsOver();
    }
  }
  CountDown(1);
}

void PredictionJob::StopWhenTimeIsOver() {
  absl::Time last = absl::InfinitePast();
  for (const Item& item : items_) {
    if (item.prepared.has_value()) last = std::max(last, item.deadline);
  }
  if (last == absl::InfiniteFuture()) return;
  alarm_.Set(absl::ToChronoTime(last), [self = weak_from_this()](bool expired) {
    const auto job = expired ? self.lock() : nullptr;
    if (job != nullptr) job->Stop(StopReason::kTimeout);
  });
}

absl::Status PredictionJob::PrepareItems(const std::vector<const pb::VertexOffsetRequest*>& items,
                                         const pb::BatchPredictionRequest* batch) {
  items_.resize(items.size());
  ItemPreparation preparation(core_);
  if (batch != nullptr) {
    if (absl::Status status = preparation.SetSharedMesh(*batch); !status.ok()) return status;
  }
  for (size_t i = 0; i < items.size(); ++i) {
    absl::StatusOr<PreparedItem> prepared = preparation.Prepare(*items[i]);
    if (!prepared.ok()) {
      items_[i].invalid = prepared.status();
      continue;
    }
    items_[i].deadline = info_.arrival + prepared->options.timeout();
    items_[i].prepared = *std::move(prepared);
  }
  return absl::OkStatus();
}

void PredictionJob::PlanRuns() {
  std::vector<size_t> valid;
  std::vector<predict::Need> needs;
  for (size_t i = 0; i < items_.size(); ++i) {
    if (!items_[i].prepared.has_value()) continue;
    valid.push_back(i);
    needs.push_back({items_[i].prepared->model.get(), items_[i].prepared->mesh.get()});
  }
  runs_ = predict::PlanRuns(needs);
  for (predict::Run& run : runs_) {
    for (size_t& position : run) position = valid[position];
  }
}

size_t PredictionJob::ScratchOf(const predict::Run& run) const {
  const PreparedItem& first = *items_[run.front()].prepared;
  // At the most: an expression's mirror image may run beside it.
  const size_t rows = run.size() * (first.model->facts().mirrored_slots.empty() ? 1 : 2);
  return first.mesh->vertex_count() * (kScratchBytesPerVertex + rows * kScratchBytesPerOffset);
}

absl::Status PredictionJob::CheckScratch() const {
  for (const predict::Run& run : runs_) {
    if (const size_t needed = ScratchOf(run); needed > core_.scratch.total()) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "a prediction for ", items_[run.front()].prepared->mesh->vertex_count(),
          " vertices needs about ", needed >> 20, " MiB, and this server may use ",
          core_.scratch.total() >> 20, " MiB for it; start it with a larger --memory-budget"));
    }
  }
  return absl::OkStatus();
}

absl::Status PredictionJob::Admit(
    const std::function<absl::StatusOr<size_t>(size_t)>& memory_for_answers, int max_parallel) {
  if (absl::Status status = CheckScratch(); !status.ok()) return status;
  size_t answers = 0;
  for (const Item& item : items_) {
    if (item.prepared.has_value() && item.prepared->place.empty()) {
      answers += item.prepared->mesh->vertex_count() * kAnswerBytesPerVertex;
    }
  }
  const absl::StatusOr<size_t> at_a_time = memory_for_answers(answers);
  if (!at_a_time.ok()) return at_a_time.status();
  absl::StatusOr<MemoryBudget::Reservation> reservation =
      core_.budget.Reserve(*at_a_time + request_bytes_);
  if (!reservation.ok()) return reservation.status();
  memory_ = *std::move(reservation);
  run_memory_.resize(runs_.size());
  return core_.queue.Submit(shared_from_this(), runs_.size(), max_parallel);
}

void PredictionJob::Stop(StopReason reason) {
  if (!control_.Stop(reason)) return;
  const size_t dropped = core_.queue.Withdraw(this);
  for (size_t i = runs_.size() - dropped; i < runs_.size(); ++i) {
    AbandonStopped(runs_[i]);
  }
}

bool PredictionJob::ReadyForNextUnit() {
  if (control_.stopped()) return true;  // it will do nothing but say so
  return core_.scratch.Fits(ScratchOf(runs_[next_unit_])) && answers_.ready_for_more();
}

void PredictionJob::UnitStarts(size_t index) {
  run_memory_[index] = core_.scratch.Take(ScratchOf(runs_[index]));
  next_unit_ = index + 1;
}

void PredictionJob::RunUnit(size_t index, absl::Duration waited) {
  const MemoryBudget::Reservation memory = std::move(run_memory_[index]);
  if (control_.stopped()) return AbandonStopped(runs_[index]);
  const predict::Run run = DropExpired(runs_[index], waited);
  if (run.empty()) return;
  // Keeps model and mesh alive beyond the last answer.
  const PreparedItem& first = *items_[run.front()].prepared;
  const model::ModelRef model = first.model;
  const std::shared_ptr<const predict::PreparedMesh> mesh = first.mesh;
  // The run stops with the call, or when the time of all its items is over: those of another run
  // may have longer.
  const auto stop_run = std::make_shared<std::stop_source>();
  const std::stop_callback with_call(control_.token(), [stop_run] { stop_run->request_stop(); });
  absl::Time last = absl::InfinitePast();
  for (const size_t i : run) last = std::max(last, items_[i].deadline);
  grpc::Alarm alarm;
  if (last != absl::InfiniteFuture()) {
    alarm.Set(absl::ToChronoTime(last), [stop_run](bool expired) {
      if (expired) stop_run->request_stop();
    });
  }
  predict::Predict(*model, *mesh, MakeTasks(run, waited), core_.encodings, stop_run->get_token());
}

predict::Run PredictionJob::DropExpired(const predict::Run& run, absl::Duration waited) {
  const absl::Time now = absl::Now();
  predict::Run left;
  for (const size_t i : run) {
    if (items_[i].deadline > now) {
      left.push_back(i);
    } else {
      FinishItem(i, predict::Outcome{TimedOut(items_[i].prepared->options), {}, {}}, false, waited);
    }
  }
  return left;
}

std::vector<predict::Task> PredictionJob::MakeTasks(const predict::Run& run,
                                                    absl::Duration waited) {
  std::vector<predict::Task> tasks;
  tasks.reserve(run.size());
  for (const size_t i : run) {
    Item& item = items_[i];
    const auto output = [this, i, &item] {
      item.response = answers_.response(i);
      if (!item.prepared->place.empty()) return item.prepared->place;
      auto* offsets = item.response->mutable_offsets();
      const int floats = static_cast<int>(item.prepared->mesh->vertices().size());
      // Not Resize(), which would write zeros first.
      offsets->Reserve(floats);
      offsets->AddNAlreadyReserved(floats);
      return absl::MakeSpan(offsets->mutable_data(), static_cast<size_t>(floats));
    };
    const auto done = [this, i, &item, waited](const predict::Outcome& outcome) {
      if (control_.stopped() && !outcome.status.ok()) return AbandonStopped({i});
      predict::Outcome judged = outcome;
      // A run that stopped although the call goes on has run out of time.
      if (absl::Now() >= item.deadline || absl::IsCancelled(outcome.status)) {
        judged.status = TimedOut(item.prepared->options);
      }
      FinishItem(i, judged, true, waited);
    };
    tasks.push_back({item.prepared->condition, item.prepared->options, output, done});
  }
  return tasks;
}

void PredictionJob::FinishItem(size_t index, const predict::Outcome& outcome, bool ran,
                               absl::Duration waited) {
  Item& item = items_[index];
  Record(item, outcome, ran, waited);
  if (item.response == nullptr) item.response = answers_.response(index);
  pb::VertexOffsetResponse& response = *item.response;
  response.set_success(outcome.status.ok());
  if (outcome.status.ok()) {
    const model::ModelFacts& facts = item.prepared->model->facts();
    pb::PredictionMetadata& metadata = *response.mutable_metadata();
    response.set_mesh_id(item.prepared->mesh->id());
    response.set_offsets_are_shared(!item.prepared->place.empty());
    metadata.set_queue_time_ms(Millis(waited));
    metadata.set_preprocessing_time_ms(Millis(outcome.timings.preprocessing));
    metadata.set_inference_time_ms(Millis(outcome.timings.inference));
    metadata.set_postprocessing_time_ms(Millis(outcome.timings.postprocessing));
    metadata.set_vertices_processed(static_cast<int>(item.prepared->mesh->vertex_count()));
    metadata.set_model_name(item.prepared->model_name);
    metadata.set_model_version(facts.version);
    metadata.set_execution_provider(facts.provider.provider);
    pb::QualityMetrics& quality = *metadata.mutable_quality();
    quality.set_avg_displacement(outcome.quality.mean_displacement);
    quality.set_max_displacement(outcome.quality.max_displacement);
    quality.set_extreme_vertex_count(static_cast<int>(outcome.quality.extreme_vertices));
    quality.set_smoothness_score(outcome.quality.smoothness);
  } else {
    response.clear_offsets();
    response.set_error_message(std::string(outcome.status.message()));
    response.set_status_code(static_cast<int>(outcome.status.code()));
  }
  answers_.on_item(index, outcome.status);
  CountDown(1);
}

void PredictionJob::AbandonItems(const predict::Run& run, const absl::Status& status) {
  for (const size_t i : run) {
    Record(items_[i], predict::Outcome{status, {}, {}}, false, absl::ZeroDuration());
  }
  CountDown(run.size());
}

void PredictionJob::AbandonStopped(const predict::Run& run) {
  if (control_.reason() != StopReason::kTimeout) return AbandonItems(run, control_.status());
  for (const size_t i : run) {
    FinishItem(i, predict::Outcome{TimedOut(items_[i].prepared->options), {}, {}}, false,
               absl::Now() - info_.arrival);
  }
}

void PredictionJob::CountDown(size_t count) {
  if (left_.fetch_sub(count) != count) return;
  absl::Status status = refused_;
  if (status.ok()) status = control_.status();
  memory_ = {};
  answers_.on_end(status);
}

void PredictionJob::Record(const Item& item, const predict::Outcome& outcome, bool ran,
                           absl::Duration waited) {
  PredictionRecord record;
  record.code = outcome.status.code();
  if (item.prepared.has_value()) record.model_name = item.prepared->model_name;
  record.total = absl::Now() - info_.arrival;
  record.ran = ran && outcome.status.ok();
  record.queue = waited;
  record.preprocessing = outcome.timings.preprocessing;
  record.inference = outcome.timings.inference;
  record.postprocessing = outcome.timings.postprocessing;
  core_.statistics.Record(record);
}

}  // namespace blendwire::server

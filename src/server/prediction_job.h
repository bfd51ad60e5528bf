// SPDX-License-Identifier: Apache-2.0
//
// The predictions of one call, from validation to the last answer: one for PredictVertexOffsets,
// many for PredictBatch and PredictStream.

#ifndef BLENDWIRE_SERVER_PREDICTION_JOB_H_
#define BLENDWIRE_SERVER_PREDICTION_JOB_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "grpcpp/alarm.h"
#include "predict/plan.h"
#include "predict/predict.h"
#include "server/call_info.h"
#include "server/core.h"
#include "server/item_preparation.h"
#include "server/stop_control.h"
#include "server/translate.h"
#include "server/work_queue.h"

namespace blendwire::server {

// Lives until its last unit is done, which may be after the call was answered; so it touches
// neither request nor responses any more once it has called on_end.
class PredictionJob : public Job, public std::enable_shared_from_this<PredictionJob> {
 public:
  // How the job talks to its call. All three may be called from several threads at once, but each
  // item's in the order given here.
  struct Answers {
    // Where item `index` is to be answered; asked once for each item, as late as possible.
    std::function<pb::VertexOffsetResponse*(size_t index)> response;
    // The item is done: `response` is filled in, its failure included.
    std::function<void(size_t index, const absl::Status& status)> on_item;
    // Called once, after every item is done or given up; not OK if the call as a whole failed.
    // Logging the end is the call's: a single one fails with its item.
    std::function<void(const absl::Status& status)> on_end;
    // Whether the answers that are ready are being taken; see Job::ReadyForNextUnit().
    std::function<bool()> ready_for_more;
  };

  PredictionJob(Core& core, CallInfo info, Answers answers)
      : core_(core), info_(std::move(info)), answers_(std::move(answers)) {}

  // `batch` gives the shared mesh; null for a single request. `memory_for_answers` tells how many
  // bytes of answers may exist at a time, given their sum. Once; on_end may be called before this
  // returns.
  void Start(const std::vector<const pb::VertexOffsetRequest*>& items,
             const pb::BatchPredictionRequest* batch, int max_parallel,
             const std::function<absl::StatusOr<size_t>(size_t)>& memory_for_answers);

  // Ends the call early: what has not started never does, and a running model is stopped.
  void Stop(StopReason reason);

  const CallInfo& info() const { return info_; }

  void RunUnit(size_t index, absl::Duration waited) override;
  bool ReadyForNextUnit() override;
  void UnitStarts(size_t index) override;

 private:
  struct Item {
    absl::Status invalid;  // OK for an item that can run
    std::optional<PreparedItem> prepared;
    absl::Time deadline = absl::InfiniteFuture();
    pb::VertexOffsetResponse* response = nullptr;
  };

  // Fails as a whole only where ItemPreparation::SetSharedMesh does.
  absl::Status PrepareItems(const std::vector<const pb::VertexOffsetRequest*>& items,
                            const pb::BatchPredictionRequest* batch);
  // What a run needs while it runs, roughly.
  size_t ScratchOf(const predict::Run& run) const;
  absl::Status CheckScratch() const;
  absl::Status Admit(const std::function<absl::StatusOr<size_t>(size_t)>& memory_for_answers,
                     int max_parallel);
  void PlanRuns();
  // The items of a run whose own time is not over; the others are answered.
  predict::Run DropExpired(const predict::Run& run, absl::Duration waited);
  std::vector<predict::Task> MakeTasks(const predict::Run& run, absl::Duration waited);
  void FinishItem(size_t index, const predict::Outcome& outcome, bool ran, absl::Duration waited);
  // The call was stopped, or refused with `status`, before these items were done.
  void AbandonItems(const predict::Run& run, const absl::Status& status);
  void AbandonStopped(const predict::Run& run);
  void StopWhenTimeIsOver();
  void CountDown(size_t count);
  void Record(const Item& item, const predict::Outcome& outcome, bool ran, absl::Duration waited);

  Core& core_;
  const CallInfo info_;
  const Answers answers_;
  StopControl control_;
  std::optional<std::stop_callback<std::function<void()>>> abort_;
  grpc::Alarm alarm_;
  size_t request_bytes_ = 0;
  MemoryBudget::Reservation memory_;
  std::vector<MemoryBudget::Reservation> run_memory_;  // of the runs that go on
  size_t next_unit_ = 0;                               // guarded by the queue's lock
  std::vector<Item> items_;
  std::vector<predict::Run> runs_;
  absl::Status refused_;         // why the call as a whole did not get into the queue
  std::atomic<size_t> left_{0};  // items that are neither done nor given up
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_PREDICTION_JOB_H_

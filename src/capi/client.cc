// SPDX-License-Identifier: Apache-2.0
//
// The client's calls: each is started as a job; the forms that wait wait for theirs.

#include "client/client.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "capi/blendwire.h"
#include "capi/error.h"
#include "capi/job.h"
#include "capi/requests.h"
#include "capi/results.h"
#include "capi/structs.h"
#include "client/internal/call_tracker.h"

namespace blendwire::capi {
namespace {

using JobOr = absl::StatusOr<std::shared_ptr<Job>>;

absl::Status CheckMayWait() {
  if (!client::CallbackScope::Active()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      "a call that waits was made inside a function given to blendwire_job_on_done; submit it");
}

// What a call ends with becomes the job's result.
template <typename T>
Callback<T> FinishWith(const std::shared_ptr<Job>& job) {
  return [job](absl::StatusOr<T> result) {
    if (result.ok()) {
      job->Finish(absl::OkStatus(), *std::move(result));
    } else {
      job->Finish(result.status());
    }
  };
}

JobOr StartHealth(const blendwire_client* client, const blendwire_call_options* options) {
  if (client == nullptr) return NullError("client");
  auto job = std::make_shared<Job>();
  const auto call = ToCallOptions(options, job->cancellation());
  if (!call.ok()) return call.status();
  client->client.HealthAsync(*call, FinishWith<ServerHealth>(job));
  return job;
}

JobOr StartPredict(const blendwire_client* client, const blendwire_predict_request* request,
                   const blendwire_call_options* options) {
  if (client == nullptr) return NullError("client");
  auto job = std::make_shared<Job>();
  const auto call = ToCallOptions(options, job->cancellation());
  if (!call.ok()) return call.status();
  const auto predict = ToPredictCall(request);
  if (!predict.ok()) return predict.status();
  client->client.PredictAsync(
      predict->request, *call,
      [job, output = predict->output](absl::StatusOr<Prediction> prediction) {
        if (!prediction.ok()) return job->Finish(prediction.status());
        if (!output.packed()) output.Scatter(prediction->offsets);
        job->Finish(absl::OkStatus(), std::move(prediction->metadata));
      });
  return job;
}

JobOr StartBatch(const blendwire_client* client, const blendwire_batch_request* request,
                 const blendwire_call_options* options) {
  if (client == nullptr) return NullError("client");
  auto batch = ToBatchCall(request);
  if (!batch.ok()) return batch.status();
  auto job = std::make_shared<Job>(batch->outputs.size());
  const auto call = ToCallOptions(options, job->cancellation());
  if (!call.ok()) return call.status();
  auto on_update = [job, outputs = std::move(batch->outputs)](const BatchUpdate& update) {
    if (!update.result.ok()) return job->FinishItem(update.index, update.result.status());
    const Output& output = outputs[update.index];
    if (!output.packed()) output.Scatter(update.result->offsets);
    job->FinishItem(update.index, update.result->metadata);
  };
  client->client.PredictStreamAsync(
      batch->request, std::move(on_update), *call,
      [job](const absl::StatusOr<BatchResult>& result) { job->Finish(result.status()); });
  return job;
}

JobOr StartStats(const blendwire_client* client, bool reset,
                 const blendwire_call_options* options) {
  if (client == nullptr) return NullError("client");
  auto job = std::make_shared<Job>();
  const auto call = ToCallOptions(options, job->cancellation());
  if (!call.ok()) return call.status();
  client->client.StatsAsync(reset, *call, FinishWith<ServerStats>(job));
  return job;
}

JobOr StartLoadModel(const blendwire_client* client, const blendwire_load_request* request,
                     const blendwire_call_options* options) {
  if (client == nullptr) return NullError("client");
  auto job = std::make_shared<Job>();
  const auto call = ToCallOptions(options, job->cancellation());
  if (!call.ok()) return call.status();
  const auto load = ToLoadModelRequest(request);
  if (!load.ok()) return load.status();
  client->client.LoadModelAsync(*load, *call, FinishWith<LoadedModel>(job));
  return job;
}

JobOr StartUnloadModel(const blendwire_client* client, const char* name,
                       const blendwire_call_options* options) {
  if (client == nullptr) return NullError("client");
  auto job = std::make_shared<Job>();
  const auto call = ToCallOptions(options, job->cancellation());
  if (!call.ok()) return call.status();
  client->client.UnloadModelAsync(Text(name), *call,
                                  [job](absl::Status status) { job->Finish(std::move(status)); });
  return job;
}

JobOr StartListModels(const blendwire_client* client, const blendwire_call_options* options) {
  if (client == nullptr) return NullError("client");
  auto job = std::make_shared<Job>();
  const auto call = ToCallOptions(options, job->cancellation());
  if (!call.ok()) return call.status();
  client->client.ListModelsAsync(*call, [job](absl::StatusOr<std::vector<ModelInfo>> models) {
    if (!models.ok()) return job->Finish(models.status());
    job->Finish(absl::OkStatus(), ModelList(*std::move(models)));
  });
  return job;
}

// Hands a started job out.
template <typename Start>
blendwire_code Submit(blendwire_job** handle, Start start) {
  return Guard([&]() -> absl::Status {
    if (handle == nullptr) return NullError("job");
    *handle = nullptr;
    auto result = std::make_unique<blendwire_job>();
    JobOr job = start();
    if (!job.ok()) return job.status();
    result->job = *std::move(job);
    *handle = result.release();
    return absl::OkStatus();
  });
}

// Runs a job to its end; `read` takes the result of one that succeeded.
template <typename Start, typename Read>
blendwire_code RunToEnd(Start start, Read read) {
  return Guard([&]() -> absl::Status {
    if (auto s = CheckMayWait(); !s.ok()) return s;
    const JobOr job = start();
    if (!job.ok()) return job.status();
    const absl::Status status = *(*job)->Wait(absl::InfiniteDuration());
    return status.ok() ? read(**job) : status;
  });
}

absl::Status RunBatch(const blendwire_client* client, const blendwire_batch_request* request,
                      const blendwire_call_options* call, blendwire_progress progress, void* user,
                      blendwire_prediction_info* infos) {
  if (auto s = CheckMayWait(); !s.ok()) return s;
  const JobOr started = StartBatch(client, request, call);
  if (!started.ok()) return started.status();
  Job& job = **started;
  size_t completed = 0;
  bool ended = false;
  absl::Status end;
  while (!ended || (progress != nullptr && completed < job.completed())) {
    job.WaitForItem();
    if (const std::optional<absl::Status> status = job.Poll()) {
      ended = true;
      end = *status;
    }
    while (const std::optional<size_t> index = job.NextItem()) {
      ++completed;
      if (progress != nullptr && progress(user, *index, completed, job.item_count()) != 0) {
        job.cancellation().Cancel();
        progress = nullptr;
      }
    }
  }
  for (size_t i = 0; infos != nullptr && i < job.item_count(); ++i) {
    if (auto s = WriteItem(job, i, ElementAt(infos, i)); !s.ok()) return s;
  }
  return end;
}

}  // namespace
}  // namespace blendwire::capi

using blendwire::capi::Guard;
using blendwire::capi::RunToEnd;
using blendwire::capi::Submit;

blendwire_code blendwire_client_create(const blendwire_client_options* options,
                                       blendwire_client** client) {
  return Guard([&]() -> absl::Status {
    if (client == nullptr) return blendwire::capi::NullError("client");
    *client = nullptr;
    const auto converted = blendwire::capi::ToClientOptions(options);
    if (!converted.ok()) return converted.status();
    auto created = blendwire::Client::Create(*converted);
    if (!created.ok()) return created.status();
    *client = new blendwire_client{*std::move(created)};
    return absl::OkStatus();
  });
}

blendwire_code blendwire_client_create_for_server(const blendwire_server* server,
                                                  const blendwire_client_options* options,
                                                  blendwire_client** client) {
  return Guard([&]() -> absl::Status {
    if (client == nullptr) return blendwire::capi::NullError("client");
    *client = nullptr;
    if (server == nullptr) return blendwire::capi::NullError("server");
    auto converted = blendwire::capi::ToClientOptions(options);
    if (!converted.ok()) return converted.status();
    auto created = blendwire::Client::Create(server->server->client_options(*converted));
    if (!created.ok()) return created.status();
    *client = new blendwire_client{*std::move(created)};
    return absl::OkStatus();
  });
}

void blendwire_client_free(blendwire_client* client) { delete client; }

blendwire_code blendwire_health(blendwire_client* client, const blendwire_call_options* call,
                                blendwire_health_info* health) {
  return RunToEnd([&] { return blendwire::capi::StartHealth(client, call); },
                  [&](const auto& job) { return blendwire::capi::WriteHealth(job, health); });
}

blendwire_code blendwire_predict(blendwire_client* client, const blendwire_predict_request* request,
                                 const blendwire_call_options* call,
                                 blendwire_prediction_info* info) {
  return RunToEnd([&] { return blendwire::capi::StartPredict(client, request, call); },
                  [&](const auto& job) { return blendwire::capi::WritePrediction(job, info); });
}

blendwire_code blendwire_predict_batch(blendwire_client* client,
                                       const blendwire_batch_request* request,
                                       const blendwire_call_options* call,
                                       blendwire_progress progress, void* user,
                                       blendwire_prediction_info* infos) {
  return Guard(
      [&] { return blendwire::capi::RunBatch(client, request, call, progress, user, infos); });
}

blendwire_code blendwire_get_stats(blendwire_client* client, int32_t reset,
                                   const blendwire_call_options* call, blendwire_stats* stats) {
  return RunToEnd([&] { return blendwire::capi::StartStats(client, reset != 0, call); },
                  [&](const auto& job) { return blendwire::capi::WriteStats(job, stats); });
}

blendwire_code blendwire_load_model(blendwire_client* client, const blendwire_load_request* request,
                                    const blendwire_call_options* call, char* version,
                                    size_t version_size) {
  return RunToEnd([&] { return blendwire::capi::StartLoadModel(client, request, call); },
                  [&](const auto& job) {
                    return blendwire::capi::WriteLoadedVersion(job, version, version_size);
                  });
}

blendwire_code blendwire_unload_model(blendwire_client* client, const char* name,
                                      const blendwire_call_options* call) {
  return RunToEnd([&] { return blendwire::capi::StartUnloadModel(client, name, call); },
                  [](const auto&) { return absl::OkStatus(); });
}

blendwire_code blendwire_list_models(blendwire_client* client, const blendwire_call_options* call,
                                     blendwire_job** job) {
  return Guard([&]() -> absl::Status {
    if (auto s = blendwire::capi::CheckMayWait(); !s.ok()) return s;
    if (job == nullptr) return blendwire::capi::NullError("job");
    *job = nullptr;
    auto started = blendwire::capi::StartListModels(client, call);
    if (!started.ok()) return started.status();
    const absl::Status status = *(*started)->Wait(absl::InfiniteDuration());
    if (status.ok()) *job = new blendwire_job{*std::move(started)};
    return status;
  });
}

blendwire_code blendwire_submit_health(blendwire_client* client, const blendwire_call_options* call,
                                       blendwire_job** job) {
  return Submit(job, [&] { return blendwire::capi::StartHealth(client, call); });
}

blendwire_code blendwire_submit_predict(blendwire_client* client,
                                        const blendwire_predict_request* request,
                                        const blendwire_call_options* call, blendwire_job** job) {
  return Submit(job, [&] { return blendwire::capi::StartPredict(client, request, call); });
}

blendwire_code blendwire_submit_batch(blendwire_client* client,
                                      const blendwire_batch_request* request,
                                      const blendwire_call_options* call, blendwire_job** job) {
  return Submit(job, [&] { return blendwire::capi::StartBatch(client, request, call); });
}

blendwire_code blendwire_submit_stats(blendwire_client* client, int32_t reset,
                                      const blendwire_call_options* call, blendwire_job** job) {
  return Submit(job, [&] { return blendwire::capi::StartStats(client, reset != 0, call); });
}

blendwire_code blendwire_submit_load_model(blendwire_client* client,
                                           const blendwire_load_request* request,
                                           const blendwire_call_options* call,
                                           blendwire_job** job) {
  return Submit(job, [&] { return blendwire::capi::StartLoadModel(client, request, call); });
}

blendwire_code blendwire_submit_unload_model(blendwire_client* client, const char* name,
                                             const blendwire_call_options* call,
                                             blendwire_job** job) {
  return Submit(job, [&] { return blendwire::capi::StartUnloadModel(client, name, call); });
}

blendwire_code blendwire_submit_list_models(blendwire_client* client,
                                            const blendwire_call_options* call,
                                            blendwire_job** job) {
  return Submit(job, [&] { return blendwire::capi::StartListModels(client, call); });
}

// SPDX-License-Identifier: Apache-2.0
//
// A server of one's own, and the API's versions.

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "capi/blendwire.h"
#include "capi/error.h"
#include "capi/job.h"
#include "capi/requests.h"
#include "capi/structs.h"
#include "client/managed_server.h"
#include "contract/version.h"

using blendwire::ManagedServer;
using blendwire::capi::Guard;
using blendwire::capi::Job;
using blendwire::capi::NullError;

namespace {

size_t GiveText(const std::string& text, char* buffer, size_t size) {
  blendwire::capi::CopyText(text, buffer, size);
  return text.size();
}

// Starting and stopping a server wait, so each such job has a thread.
template <typename Work>
absl::Status SubmitWork(blendwire_job** handle, Work work) {
  auto result = std::make_unique<blendwire_job>();
  result->job = std::make_shared<Job>();
  result->job->RunOnThread([job = result->job, work = std::move(work)]() mutable {
    work(*job);
    // What the work holds, maybe a server's last reference, goes before the thread ends.
  });
  *handle = result.release();
  return absl::OkStatus();
}

}  // namespace

uint32_t blendwire_abi_version(void) { return BLENDWIRE_ABI_VERSION; }

const char* blendwire_version(void) { return blendwire::contract::kVersion; }

blendwire_code blendwire_server_start(const blendwire_server_options* options,
                                      blendwire_server** server) {
  return Guard([&]() -> absl::Status {
    if (server == nullptr) return NullError("server");
    *server = nullptr;
    auto converted = blendwire::capi::ToManagedServerOptions(options);
    if (!converted.ok()) return converted.status();
    auto started = ManagedServer::Start(*std::move(converted));
    if (!started.ok()) return started.status();
    *server = new blendwire_server{std::make_shared<ManagedServer>(*std::move(started))};
    return absl::OkStatus();
  });
}

blendwire_code blendwire_server_restart(blendwire_server* server) {
  return Guard([&] { return server == nullptr ? NullError("server") : server->server->Restart(); });
}

blendwire_code blendwire_server_stop(blendwire_server* server, int64_t grace_ms) {
  return Guard([&] {
    return server == nullptr ? NullError("server")
                             : server->server->Stop(absl::Milliseconds(grace_ms));
  });
}

void blendwire_server_free(blendwire_server* server) { delete server; }

blendwire_code blendwire_submit_server_start(const blendwire_server_options* options,
                                             blendwire_job** job) {
  return Guard([&]() -> absl::Status {
    if (job == nullptr) return NullError("job");
    *job = nullptr;
    auto converted = blendwire::capi::ToManagedServerOptions(options);
    if (!converted.ok()) return converted.status();
    return SubmitWork(job, [start = *std::move(converted)](Job& running) mutable {
      auto started = ManagedServer::Start(std::move(start), running.cancellation());
      if (!started.ok()) return running.Finish(started.status());
      running.Finish(absl::OkStatus(), std::make_shared<ManagedServer>(*std::move(started)));
    });
  });
}

blendwire_code blendwire_submit_server_restart(blendwire_server* server, blendwire_job** job) {
  return Guard([&]() -> absl::Status {
    if (job == nullptr) return NullError("job");
    *job = nullptr;
    if (server == nullptr) return NullError("server");
    return SubmitWork(job, [restarted = server->server](Job& running) {
      running.Finish(restarted->Restart(running.cancellation()));
    });
  });
}

blendwire_code blendwire_submit_server_stop(blendwire_server* server, int64_t grace_ms,
                                            blendwire_job** job) {
  return Guard([&]() -> absl::Status {
    if (job == nullptr) return NullError("job");
    *job = nullptr;
    if (server == nullptr) return NullError("server");
    return SubmitWork(job, [stopped = server->server, grace_ms](Job& running) {
      running.Finish(stopped->Stop(absl::Milliseconds(grace_ms)));
    });
  });
}

blendwire_code blendwire_job_take_server(blendwire_job* job, blendwire_server** server) {
  return Guard([&]() -> absl::Status {
    if (job == nullptr) return NullError("job");
    if (server == nullptr) return NullError("server");
    *server = nullptr;
    auto result = std::make_unique<blendwire_server>();
    auto taken = job->job->TakeServer();
    if (!taken.ok()) return taken.status();
    result->server = *std::move(taken);
    *server = result.release();
    return absl::OkStatus();
  });
}

blendwire_code blendwire_server_check(const blendwire_server* server) {
  return Guard(
      [&] { return server == nullptr ? NullError("server") : server->server->CheckRunning(); });
}

size_t blendwire_server_address(const blendwire_server* server, char* buffer, size_t size) {
  return GiveText(server == nullptr ? "" : server->server->address(), buffer, size);
}

size_t blendwire_server_token(const blendwire_server* server, char* buffer, size_t size) {
  return GiveText(server == nullptr ? "" : server->server->token(), buffer, size);
}

size_t blendwire_server_version(const blendwire_server* server, char* buffer, size_t size) {
  return GiveText(server == nullptr ? "" : server->server->version(), buffer, size);
}

size_t blendwire_server_log(const blendwire_server* server, char* buffer, size_t size) {
  std::string text;
  if (server != nullptr) {
    for (const std::string& line : server->server->recent_log()) absl::StrAppend(&text, line, "\n");
  }
  return GiveText(text, buffer, size);
}

int64_t blendwire_server_pid(const blendwire_server* server) {
  return server == nullptr ? 0 : server->server->pid();
}

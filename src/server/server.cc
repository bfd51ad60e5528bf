// SPDX-License-Identifier: Apache-2.0

#include "server/server.h"

#include <grpc/support/log.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "contract/version.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server_builder.h"
#include "server/core.h"
#include "server/default_model.h"
#include "server/listen_address.h"
#include "server/log.h"
#include "server/model_calls.h"
#include "server/model_probe.h"
#include "server/service.h"
#include "server/token.h"
#include "system/files.h"
#include "system/private_file.h"
#include "system/process_figures.h"
#include "system/termination.h"

namespace blendwire::server {
namespace {

using contract::ServerExitCode;

// How often the process was asked to end, and by what.
class EndRequests {
 public:
  void Add(const std::string& cause) {
    Log(LogLevel::kInfo, "end-requested", {{"cause", cause}});
    absl::MutexLock lock(&mutex_);
    ++count_;
  }

  // Whether there were `count` before `deadline`.
  bool Await(int count, absl::Time deadline) {
    absl::MutexLock lock(&mutex_);
    const auto reached = [this, count]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return count_ >= count; };
    return mutex_.AwaitWithDeadline(absl::Condition(&reached), deadline);
  }

 private:
  absl::Mutex mutex_;
  int count_ ABSL_GUARDED_BY(mutex_) = 0;
};

// Lives as long as the process: its threads may outlast everything else.
EndRequests& GlobalEndRequests() {
  static EndRequests& requests = *new EndRequests();
  return requests;
}

void WatchStandardInput() {
  std::thread([] {
    std::string ignored;
    while (std::getline(std::cin, ignored)) {
    }
    GlobalEndRequests().Add("standard input closed");
  }).detach();
}

// gRPC's own messages, into our log.
void LogGrpcMessage(gpr_log_func_args* args) {
  if (args->severity < GPR_LOG_SEVERITY_ERROR) return;
  Log(LogLevel::kWarning, "grpc", {{"message", args->message}});
}

ServerExitCode Fail(ServerExitCode code, const absl::Status& status) {
  Log(LogLevel::kError, "failed", {{"message", std::string(status.message())}});
  return code;
}

absl::StatusOr<std::string> TokenFor(const ServerOptions& options) {
  if (options.managed) return ReadToken(std::cin);
  if (!options.token_file.empty()) return ReadTokenFile(options.token_file);
  return std::string();
}

absl::Status LoadFirstModel(const ServerOptions& options, Core& core) {
  if (options.no_model) return absl::OkStatus();
  absl::StatusOr<std::filesystem::path> file = options.model;
  if (options.model.empty()) file = FindDefaultModel();
  if (!file.ok()) return file.status();
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(*file, error);
  model::LoadOptions load{.device = core.model_defaults.device,
                          .threads = core.model_defaults.threads};
  return LoadTrusted(core, error ? *file : absolute, model::kDefaultModelName, load).status();
}

// A server that one program has started for itself shares memory with it.
size_t SharedMemoryBytes(const ServerOptions& options) {
  constexpr int kManagedMib = 64;
  const int mib = options.shared_memory_mib.value_or(options.managed ? kManagedMib : 0);
  return static_cast<size_t>(mib) << 20;
}

// One server on one address.
class Listener {
 public:
  Listener(const ServerOptions& options, Core& core)
      : options_(options), core_(core), service_(core, [this] { UpdateHealth(); }) {}

  // Returns when calls are taken.
  ServerExitCode Start(const std::string& token);

  const std::string& address() const { return address_; }
  void Drain(EndRequests& requests);

 private:
  // What to listen on, as gRPC writes it.
  absl::StatusOr<std::string> Target() const;
  void Configure(grpc::ServerBuilder& builder) const;
  std::shared_ptr<grpc::ServerCredentials> Credentials(const std::string& token) const;
  void UpdateHealth() ABSL_LOCKS_EXCLUDED(health_mutex_);

  const ServerOptions& options_;
  Core& core_;
  Service service_;
  std::unique_ptr<grpc::Server> server_;
  // Calls may load and unload models before Start() knows the server, and beside each other.
  absl::Mutex health_mutex_;
  grpc::HealthCheckServiceInterface* health_ ABSL_GUARDED_BY(health_mutex_) = nullptr;
  std::atomic<bool> draining_{false};
  std::string address_;
};

absl::StatusOr<std::string> Listener::Target() const {
  if (!options_.socket.empty()) return absl::StrCat("unix:", system::ToUtf8(options_.socket));
  const absl::StatusOr<std::string> host = LoopbackHost(options_.host);
  if (!host.ok()) return host.status();
  return HostAndPort(*host, options_.port);
}

// The specification's settings. Its min_ping_interval_without_data of 300 s would make the server
// cut off the specification's own client, which pings every 30 s; so pings are taken every 10 s.
void Listener::Configure(grpc::ServerBuilder& builder) const {
  const int max_message = static_cast<int>(core_.limits.max_message_bytes);
  builder.SetMaxReceiveMessageSize(max_message);
  builder.SetMaxSendMessageSize(max_message);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  // Otherwise a second server on this port would silently get half of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

std::shared_ptr<grpc::ServerCredentials> Listener::Credentials(const std::string& token) const {
  // Local credentials are plain HTTP/2 for the caller, but refuse a connection that is not from
  // this machine, and can check a token before any service sees the call.
  auto credentials =
      grpc::experimental::LocalServerCredentials(options_.socket.empty() ? LOCAL_TCP : UDS);
  if (!token.empty()) credentials->SetAuthMetadataProcessor(MakeTokenChecker(token));
  return credentials;
}

ServerExitCode Listener::Start(const std::string& token) {
  if (!options_.socket.empty()) {
    if (const absl::Status status = PrepareSocketPath(options_.socket); !status.ok()) {
      return Fail(absl::IsAlreadyExists(status) ? ServerExitCode::kAddressInUse
                                                : ServerExitCode::kAddressNotLoopback,
                  status);
    }
  }
  const absl::StatusOr<std::string> target = Target();
  if (!target.ok()) return Fail(ServerExitCode::kAddressNotLoopback, target.status());

  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  Configure(builder);
  int bound_port = 0;
  builder.AddListeningPort(*target, Credentials(token), &bound_port);
  builder.RegisterService(&service_);
  server_ = builder.BuildAndStart();
  if (server_ == nullptr) {
    return Fail(
        ServerExitCode::kAddressInUse,
        absl::UnavailableError(absl::StrCat("cannot listen on ", *target,
                                            ": another program is there already; stop it, or "
                                            "choose another --port (0 takes any free one)")));
  }
  if (!options_.socket.empty()) {
    if (const absl::Status status = system::MakePrivate(options_.socket); !status.ok()) {
      return Fail(ServerExitCode::kInternalError, status);
    }
    address_ = *target;
  } else {
    address_ = HostAndPort(LoopbackHost(options_.host).value(), bound_port);
  }
  {
    absl::MutexLock lock(&health_mutex_);
    health_ = server_->GetHealthCheckService();
  }
  UpdateHealth();
  return ServerExitCode::kOk;
}

void Listener::UpdateHealth() {
  absl::MutexLock lock(&health_mutex_);
  if (health_ == nullptr) return;
  const bool serving = !draining_ && !core_.models.empty();
  health_->SetServingStatus("", serving);
  health_->SetServingStatus(pb::InferenceService::service_full_name(), serving);
}

void Listener::Drain(EndRequests& requests) {
  service_.StartDraining();
  draining_ = true;
  UpdateHealth();
  core_.queue.Close();
  core_.management.Close();
  const absl::Time end = absl::Now() + absl::Seconds(options_.grace_seconds);
  Log(LogLevel::kInfo, "draining",
      {{"running", absl::StrCat(core_.queue.running())},
       {"waiting", absl::StrCat(core_.queue.waiting())},
       {"grace_seconds", absl::StrCat(options_.grace_seconds)}});
  while (absl::Now() < end &&
         !core_.queue.AwaitIdle(std::min(end, absl::Now() + absl::Milliseconds(20)))) {
    if (requests.Await(2, absl::Now())) break;
  }
  core_.abort.request_stop();
  // Answers that are on their way still arrive; what is stuck is cut off.
  server_->Shutdown(absl::ToChronoTime(absl::Now() + absl::Seconds(1)));
  server_->Wait();
}

// What is left to do after the drain is to take everything down. gRPC may wait there, for ever if the
// system refused it a thread when memory was short, and up to ten seconds (its poller's, in 1.51) if a
// client was killed; the process ends nevertheless.
void EndWithin(absl::Duration limit, ServerExitCode code) {
  try {
    std::thread([limit, code] {
      absl::SleepFor(limit);
      std::_Exit(static_cast<int>(code));
    }).detach();
  } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch)
    // No thread to be had: then without that.
  }
}

void Announce(const ServerOptions& options, const std::string& address) {
  Log(LogLevel::kInfo, "serving", {{"address", address}, {"version", contract::kVersion}});
  if (options.managed) {
    std::cout << nlohmann::ordered_json{{"address", address},
                                        {"pid", system::ProcessId()},
                                        {"version", contract::kVersion}}
                     .dump()
              << std::endl;
  } else if (options.socket.empty()) {
    std::cout << "Server running on port " << address.substr(address.rfind(':') + 1)
              << ". Press Ctrl+C to stop." << std::endl;
  } else {
    std::cout << "Server running on " << address << ". Press Ctrl+C to stop." << std::endl;
  }
}

}  // namespace

ServerExitCode RunServer(const ServerOptions& options) {
  ConfigureLog(ParseLogLevel(options.log_level).value(),
               ParseLogFormat(options.log_format).value());
  if (const auto& program = ProbeProgram(); !program.ok()) {
    Log(LogLevel::kWarning, "no-model-checks",
        {{"message", std::string(program.status().message())}});
  }
  gpr_set_log_function(LogGrpcMessage);
  EndRequests& requests = GlobalEndRequests();
  system::OnTerminationRequest([&requests](const std::string& cause) { requests.Add(cause); });

  const absl::StatusOr<std::string> token = TokenFor(options);
  if (!token.ok()) return Fail(ServerExitCode::kTokenProblem, token.status());
  if (options.socket.empty()) {
    // Before the model is loaded: a wrong address should not take that long to be told.
    const absl::StatusOr<std::string> host = LoopbackHost(options.host);
    if (!host.ok()) return Fail(ServerExitCode::kAddressNotLoopback, host.status());
  }
  absl::StatusOr<model::PathPolicy> paths = model::PathPolicy::Create(options.model_roots);
  if (!paths.ok()) return Fail(ServerExitCode::kUsage, paths.status());

  Core core(options.limits, {.workers = options.workers, .max_waiting = options.queue},
            static_cast<size_t>(options.memory_budget_mib) << 20,
            {.device = model::ParseDevice(options.device).value(), .threads = options.threads},
            *std::move(paths), SharedMemoryBytes(options));
  if (const absl::Status status = LoadFirstModel(options, core); !status.ok()) {
    return Fail(ServerExitCode::kModelFailed, status);
  }
  Listener listener(options, core);
  if (const ServerExitCode code = listener.Start(*token); code != ServerExitCode::kOk) return code;
  Announce(options, listener.address());
  if (options.managed) WatchStandardInput();
  requests.Await(1, absl::InfiniteFuture());
  listener.Drain(requests);
  Log(LogLevel::kInfo, "ended");
  EndWithin(absl::Seconds(1), ServerExitCode::kOk);
  return ServerExitCode::kOk;
}

}  // namespace blendwire::server

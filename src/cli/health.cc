// SPDX-License-Identifier: Apache-2.0

#include <memory>

#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/json_output.h"

namespace blendwire::cli {
namespace {

struct HealthOptions {
  ServerChoice server;
  bool json = false;
};

const char* StatusName(ServingStatus status) {
  switch (status) {
    case ServingStatus::kServing:
      return "serving";
    case ServingStatus::kNotServing:
      return "not serving";
    case ServingStatus::kServiceUnknown:
      return "service unknown";
    case ServingStatus::kUnknown:
      break;
  }
  return "unknown";
}

ExitCode Health(const HealthOptions& options, const Context& context) {
  absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return context.Fail(session.status());
  const absl::StatusOr<ServerHealth> health = session->client.Health(context.call());
  if (!health.ok()) return context.Fail(health.status());
  const ServerInfo& server = health->server;
  if (options.json) {
    context.out << Text(Json{{"status", StatusName(health->status)},
                             {"message", health->message},
                             {"version", server.version},
                             {"model_version", server.model_version},
                             {"device", server.device_info},
                             {"gpu_available", server.gpu_available},
                             {"max_concurrent_requests", server.max_concurrent_requests}})
                << std::endl;
  } else {
    context.out << absl::StreamFormat(
        "%s: %s\nserver %s, default model %s, %s, %d predictions at a time\n",
        StatusName(health->status), health->message, server.version,
        server.model_version.empty() ? "none" : server.model_version, server.device_info,
        server.max_concurrent_requests);
    context.out.flush();
  }
  return health->serving() ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace

void AddHealth(CLI::App& app, Run& run) {
  auto options = std::make_shared<HealthOptions>();
  CLI::App* command = app.add_subcommand("health", "Ask a running server how it is");
  AddServerOptions(*command, options->server);
  command->add_flag("--json", options->json, "As JSON");
  command->callback(
      [options, &run] { run = [options](Context& context) { return Health(*options, context); }; });
}

}  // namespace blendwire::cli

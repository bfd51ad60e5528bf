// SPDX-License-Identifier: Apache-2.0

#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "cli/commands.h"
#include "cli/json_output.h"

namespace blendwire::cli {
namespace {

struct StatsOptions {
  ServerChoice server;
  bool reset = false;
  bool json = false;
};

Json LatencyJson(const LatencySummary& latency) {
  return Json{{"count", latency.count},
              {"mean_ms", Shortest(latency.mean_ms)},
              {"p50_ms", Shortest(latency.p50_ms)},
              {"p95_ms", Shortest(latency.p95_ms)},
              {"p99_ms", Shortest(latency.p99_ms)},
              {"max_ms", Shortest(latency.max_ms)}};
}

Json ToJson(const ServerStats& stats) {
  Json models = Json::array();
  for (const ModelStats& model : stats.models) {
    models.push_back({{"name", model.model_name},
                      {"successful", model.successful_requests},
                      {"failed", model.failed_requests},
                      {"inference", LatencyJson(model.inference_time)}});
  }
  return Json{{"uptime_seconds", Shortest(stats.uptime_seconds)},
              {"requests",
               {{"total", stats.total_requests},
                {"successful", stats.successful_requests},
                {"failed", stats.failed_requests},
                {"rejected", stats.rejected_requests},
                {"cancelled", stats.cancelled_requests},
                {"deadline_exceeded", stats.deadline_exceeded_requests},
                {"in_flight", stats.in_flight_requests},
                {"queued", stats.queued_requests}}},
              {"times",
               {{"total", LatencyJson(stats.total_time)},
                {"queue", LatencyJson(stats.queue_time)},
                {"preprocessing", LatencyJson(stats.preprocessing_time)},
                {"inference", LatencyJson(stats.inference_time)},
                {"postprocessing", LatencyJson(stats.postprocessing_time)}}},
              {"resources",
               {{"cpu_percent", Shortest(stats.resources.cpu_usage_percent)},
                {"memory_mib", Shortest(stats.resources.memory_usage_mb)},
                {"gpu_memory_mib", Shortest(stats.resources.gpu_memory_usage_mb)},
                {"gpu_percent", Shortest(stats.resources.gpu_utilization_percent)}}},
              {"models", std::move(models)}};
}

std::string LatencyText(const char* name, const LatencySummary& latency) {
  return absl::StrFormat("%-16s %9.1f %9.1f %9.1f %9.1f %9.1f ms\n", name, latency.mean_ms,
                         latency.p50_ms, latency.p95_ms, latency.p99_ms, latency.max_ms);
}

std::string ToText(const ServerStats& stats) {
  std::string text = absl::StrFormat(
      "up %.0f s; %d in flight, %d queued; CPU %.0f %%, memory %.0f MiB\n"
      "requests: %d in all, %d successful, %d failed, %d rejected, %d cancelled, %d too late\n"
      "%-16s %9s %9s %9s %9s %9s\n",
      stats.uptime_seconds, stats.in_flight_requests, stats.queued_requests,
      stats.resources.cpu_usage_percent, stats.resources.memory_usage_mb, stats.total_requests,
      stats.successful_requests, stats.failed_requests, stats.rejected_requests,
      stats.cancelled_requests, stats.deadline_exceeded_requests, "time", "mean", "p50", "p95",
      "p99", "max");
  text += LatencyText("total", stats.total_time);
  text += LatencyText("queue", stats.queue_time);
  text += LatencyText("preprocessing", stats.preprocessing_time);
  text += LatencyText("inference", stats.inference_time);
  text += LatencyText("postprocessing", stats.postprocessing_time);
  for (const ModelStats& model : stats.models) {
    absl::StrAppendFormat(&text, "model %s: %d successful, %d failed, inference p50 %.1f ms\n",
                          model.model_name, model.successful_requests, model.failed_requests,
                          model.inference_time.p50_ms);
  }
  return text;
}

ExitCode Stats(const StatsOptions& options, const Context& context) {
  absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return context.Fail(session.status());
  const absl::StatusOr<ServerStats> stats = session->client.Stats(options.reset, context.call());
  if (!stats.ok()) return context.Fail(stats.status());
  context.out << (options.json ? Text(ToJson(*stats)) + "\n" : ToText(*stats)) << std::flush;
  return ExitCode::kOk;
}

}  // namespace

void AddStats(CLI::App& app, Run& run) {
  auto options = std::make_shared<StatsOptions>();
  CLI::App* command = app.add_subcommand("stats", "Show a running server's counts and times");
  AddServerOptions(*command, options->server);
  command->add_flag("--reset", options->reset, "The server counts anew after this");
  command->add_flag("--json", options->json, "As JSON");
  command->callback(
      [options, &run] { run = [options](Context& context) { return Stats(*options, context); }; });
}

}  // namespace blendwire::cli

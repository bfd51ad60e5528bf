// SPDX-License-Identifier: Apache-2.0

#include "cli/watch_view.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace blendwire::cli {
namespace {

std::string Clock(absl::Time time) {
  return absl::FormatTime("%H:%M:%S", time, absl::LocalTimeZone());
}

// "12 s", "3:05 min", "2:07:09 h", "5 d 2:07 h".
std::string Uptime(float uptime_seconds) {
  const auto seconds = static_cast<int64_t>(uptime_seconds);
  const int64_t minutes = seconds / 60;
  const int64_t hours = minutes / 60;
  if (minutes == 0) return absl::StrFormat("%d s", seconds);
  if (hours == 0) return absl::StrFormat("%d:%02d min", minutes, seconds % 60);
  if (hours < 24) return absl::StrFormat("%d:%02d:%02d h", hours, minutes % 60, seconds % 60);
  return absl::StrFormat("%d d %d:%02d h", hours / 24, hours % 24, minutes % 60);
}

std::string Rate(const std::optional<double>& rate) {
  return rate.has_value() ? absl::StrFormat("%.1f", *rate) : "-";
}

std::string Percentiles(const LatencySummary& latency) {
  return absl::StrFormat("%.1f/%.1f/%.1f ms", latency.p50_ms, latency.p95_ms, latency.p99_ms);
}

std::string TimeRow(const char* name, const LatencySummary& latency) {
  return absl::StrFormat("  %-12s %10.1f %10.1f %10.1f %10.1f  ms", name, latency.p50_ms,
                         latency.p95_ms, latency.p99_ms, latency.max_ms);
}

std::string Gpu(const ResourceUsage& resources) {
  if (resources.gpu_memory_usage_mb <= 0 && resources.gpu_utilization_percent <= 0) return "";
  return absl::StrFormat(", GPU %.0f %%, GPU memory %.0f MiB", resources.gpu_utilization_percent,
                         resources.gpu_memory_usage_mb);
}

std::string Unreachable(const Look& look) {
  return absl::StrCat("not reachable: ", look.stats.status().message());
}

}  // namespace

std::optional<double> RequestRate::Next(int64_t total, float uptime_seconds,
                                        absl::Duration since_last) {
  // Another server has the address now, or somebody has reset the counts.
  const bool anew = first_ || total < total_ || uptime_seconds < uptime_seconds_;
  const auto ended = static_cast<double>(total - total_);
  first_ = false;
  total_ = total;
  uptime_seconds_ = uptime_seconds;
  const double seconds = absl::ToDoubleSeconds(since_last);
  if (anew || seconds <= 0) return std::nullopt;
  return ended / seconds;
}

std::string ToLine(const Look& look) {
  if (!look.stats.ok()) return absl::StrCat(Clock(look.time), "  ", Unreachable(look));
  const ServerStats& stats = *look.stats;
  std::string line = absl::StrFormat(
      "%s  up %s, %s requests/s, %d in flight, %d queued, "
      "%d ok, %d failed (%d rejected, %d cancelled, %d late), "
      "p50/p95/p99 total %s, inference %s, CPU %.0f %%, memory %.0f MiB%s",
      Clock(look.time), Uptime(stats.uptime_seconds), Rate(look.requests_per_second),
      stats.in_flight_requests, stats.queued_requests, stats.successful_requests,
      stats.failed_requests, stats.rejected_requests, stats.cancelled_requests,
      stats.deadline_exceeded_requests, Percentiles(stats.total_time),
      Percentiles(stats.inference_time), stats.resources.cpu_usage_percent,
      stats.resources.memory_usage_mb, Gpu(stats.resources));
  for (const ModelStats& model : stats.models) {
    absl::StrAppendFormat(&line, "; model %s: %d ok, %d failed, inference %s", model.model_name,
                          model.successful_requests, model.failed_requests,
                          Percentiles(model.inference_time));
  }
  return line;
}

std::vector<std::string> ToScreen(const Look& look) {
  std::vector<std::string> lines = {
      absl::StrFormat("Blendwire server %s, %s; Ctrl-C ends", look.server, Clock(look.time)), ""};
  if (!look.stats.ok()) {
    lines.push_back(Unreachable(look));
    return lines;
  }
  const ServerStats& stats = *look.stats;
  lines.push_back(absl::StrFormat("up %s, CPU %.0f %%, memory %.0f MiB%s",
                                  Uptime(stats.uptime_seconds), stats.resources.cpu_usage_percent,
                                  stats.resources.memory_usage_mb, Gpu(stats.resources)));
  lines.push_back(absl::StrFormat("%s requests/s, %d in flight, %d queued",
                                  Rate(look.requests_per_second), stats.in_flight_requests,
                                  stats.queued_requests));
  lines.push_back(absl::StrFormat("%d ok, %d failed (%d rejected, %d cancelled, %d late)",
                                  stats.successful_requests, stats.failed_requests,
                                  stats.rejected_requests, stats.cancelled_requests,
                                  stats.deadline_exceeded_requests));
  lines.emplace_back();
  lines.push_back(
      absl::StrFormat("  %-12s %10s %10s %10s %10s", "time", "p50", "p95", "p99", "max"));
  lines.push_back(TimeRow("total", stats.total_time));
  lines.push_back(TimeRow("inference", stats.inference_time));
  if (stats.models.empty()) return lines;
  lines.emplace_back();
  lines.push_back(absl::StrFormat("  %-20s %10s %10s %10s %10s %10s", "model", "ok", "failed",
                                  "p50", "p95", "p99"));
  for (const ModelStats& model : stats.models) {
    lines.push_back(absl::StrFormat("  %-20s %10d %10d %10.1f %10.1f %10.1f", model.model_name,
                                    model.successful_requests, model.failed_requests,
                                    model.inference_time.p50_ms, model.inference_time.p95_ms,
                                    model.inference_time.p99_ms));
  }
  return lines;
}

// ECMA-48 control sequences, with DEC's private modes 25 (cursor) and 7 (automatic line breaks).
LiveBlock::LiveBlock(std::ostream& out) : out_(out) { out_ << "\x1b[?25l\x1b[?7l" << std::flush; }

LiveBlock::~LiveBlock() { out_ << "\x1b[?7h\x1b[?25h" << std::flush; }

void LiveBlock::Draw(const std::vector<std::string>& lines) {
  std::string text;
  if (drawn_lines_ > 0) absl::StrAppend(&text, "\x1b[", drawn_lines_, "A");
  for (const std::string& line : lines) absl::StrAppend(&text, "\r", line, "\x1b[K\n");
  text += "\x1b[J";  // what a longer block has left below
  drawn_lines_ = lines.size();
  out_ << text << std::flush;
}

}  // namespace blendwire::cli

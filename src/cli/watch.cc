// SPDX-License-Identifier: Apache-2.0

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/commands.h"
#include "cli/watch_view.h"

namespace blendwire::cli {
namespace {

constexpr char kFooter[] = R"(
On a terminal the view is drawn over itself; otherwise each look is one line, for a file or a
pipe. Counts and times are those since the server's start or its last reset (`blendwire stats
--reset`); requests/s are those that ended between two looks, each item of a batch counted;
failed includes rejected, cancelled and late (past their deadline). CPU: 100 % is one core.

A server that is not reachable is waited for, at the start too. Ctrl-C is the usual end.

Examples:
  blendwire watch
  blendwire watch --server unix:/run/blendwire.sock --interval 0.5
  blendwire watch --interval 60 --count 1440 >> day.log

Exit codes: 0 after Ctrl-C or --count looks, 1 the server refused (as without its token),
2 wrong arguments, 3 the last of --count looks found no server.
)";

struct WatchOptions {
  ServerChoice server;
  double interval_seconds = 1;
  int count = 0;
};

// A server that is restarted or hangs may come back; other errors would only repeat themselves.
bool MayPass(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status);
}

// Looks at one server again and again.
class Watcher {
 public:
  Watcher(const WatchOptions& options, const Context& context, const Client& client)
      : options_(options), context_(context), client_(client) {}

  Look Next() {
    CallOptions call = context_.call();
    call.max_attempts = 1;  // the next look is the next attempt
    Look look{.server = options_.server.address,
              .time = absl::Now(),
              .stats = client_.Stats(/*reset=*/false, call),
              .requests_per_second = std::nullopt};
    if (!look.stats.ok()) return look;
    // The wall clock may be set while this runs.
    const auto now = std::chrono::steady_clock::now();
    look.requests_per_second = rate_.Next(look.stats->total_requests, look.stats->uptime_seconds,
                                          absl::FromChrono(now - last_answer_));
    last_answer_ = now;
    return look;
  }

 private:
  const WatchOptions& options_;
  const Context& context_;
  const Client& client_;
  RequestRate rate_;
  std::chrono::steady_clock::time_point last_answer_;
};

// Sleeps until Ctrl-C is pressed, which may be on another thread, at most.
class Sleeper {
 public:
  explicit Sleeper(const Cancellation& cancellation)
      : cancellation_(cancellation),
        id_(cancellation.OnCancel([woken = woken_] { woken->Notify(); })) {}
  ~Sleeper() { cancellation_.Forget(id_); }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  void SleepUntil(std::chrono::steady_clock::time_point time) const {
    const auto left = time - std::chrono::steady_clock::now();
    (void)woken_->WaitForNotificationWithTimeout(absl::FromChrono(left));
  }

 private:
  const Cancellation cancellation_;
  // The action may still be running when this is gone.
  const std::shared_ptr<absl::Notification> woken_ = std::make_shared<absl::Notification>();
  const uint64_t id_;
};

// How the watching ended.
absl::Status WatchUntilEnd(const WatchOptions& options, const Context& context, Watcher& watcher) {
  const Sleeper sleeper(context.cancellation);
  const auto interval = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(options.interval_seconds));
  std::optional<LiveBlock> block;
  if (context.output_terminal) block.emplace(context.out);
  auto next = std::chrono::steady_clock::now();
  for (int looks = 1;; ++looks) {
    const Look look = watcher.Next();
    if (context.cancellation.cancelled()) return absl::OkStatus();
    if (!look.stats.ok() && !MayPass(look.stats.status())) return look.stats.status();
    if (block.has_value()) {
      block->Draw(ToScreen(look));
    } else {
      context.out << ToLine(look) << std::endl;
    }
    if (looks == options.count) {
      return look.stats.ok() ? absl::OkStatus() : absl::UnavailableError("");
    }
    // After a look that took long, the next ones do not hurry.
    next = std::max(next + interval, std::chrono::steady_clock::now());
    sleeper.SleepUntil(next);
    if (context.cancellation.cancelled()) return absl::OkStatus();
  }
}

ExitCode Watch(const WatchOptions& options, const Context& context) {
  const absl::StatusOr<Session> session = context.connect(options.server, context.cancellation);
  if (!session.ok()) return context.Fail(session.status());
  Watcher watcher(options, context, session->client);
  const absl::Status end = WatchUntilEnd(options, context, watcher);
  if (end.ok()) return ExitCode::kOk;
  // It has been shown already.
  if (absl::IsUnavailable(end)) return ExitCode::kNoServer;
  return context.Fail(end);
}

}  // namespace

void AddWatch(CLI::App& app, Run& run) {
  auto options = std::make_shared<WatchOptions>();
  CLI::App* command =
      app.add_subcommand("watch", "Show a running server's counts and times as they change");
  command->footer(kFooter);
  AddServerOptions(*command, options->server);
  command->add_option("--interval", options->interval_seconds, "Seconds from one look to the next")
      ->check(CLI::Range(0.01, 86400.0))
      ->capture_default_str();
  command->add_option("--count", options->count, "How many looks; 0: until Ctrl-C")
      ->check(CLI::Range(0, 1000000000))
      ->capture_default_str();
  command->callback(
      [options, &run] { run = [options](Context& context) { return Watch(*options, context); }; });
}

}  // namespace blendwire::cli

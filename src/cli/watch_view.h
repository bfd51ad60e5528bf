// SPDX-License-Identifier: Apache-2.0
//
// How `blendwire watch` shows one look at a server's statistics.

#ifndef BLENDWIRE_CLI_WATCH_VIEW_H_
#define BLENDWIRE_CLI_WATCH_VIEW_H_

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/types.h"

namespace blendwire::cli {

// One poll of a server.
struct Look {
  std::string server;  // its address
  absl::Time time;
  // UNAVAILABLE and DEADLINE_EXCEEDED are shown as a server that is not reachable.
  absl::StatusOr<ServerStats> stats;
  // Requests that ended since the look before, per second; none at the first look and after the
  // server began to count anew.
  std::optional<double> requests_per_second;
};

// Requests per second from one look to the next.
class RequestRate {
 public:
  // `total`: the server's count of requests. The result is as Look::requests_per_second.
  std::optional<double> Next(int64_t total, float uptime_seconds, absl::Duration since_last);

 private:
  bool first_ = true;
  int64_t total_ = 0;
  float uptime_seconds_ = 0;
};

// Everything in one line, without its end, for a file or a pipe.
std::string ToLine(const Look& look);

// The same as lines of a table, for a terminal of 80 columns.
std::vector<std::string> ToScreen(const Look& look);

// A block of lines that is drawn over itself. While it lives, the cursor is hidden and the terminal
// cuts long lines instead of breaking them.
class LiveBlock {
 public:
  explicit LiveBlock(std::ostream& out);
  ~LiveBlock();
  LiveBlock(const LiveBlock&) = delete;
  LiveBlock& operator=(const LiveBlock&) = delete;

  void Draw(const std::vector<std::string>& lines);

 private:
  std::ostream& out_;
  size_t drawn_lines_ = 0;
};

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_WATCH_VIEW_H_

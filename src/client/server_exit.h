// SPDX-License-Identifier: Apache-2.0
//
// What the server's exit code means to whoever started it: contract/server_exit_code.h.

#ifndef BLENDWIRE_CLIENT_SERVER_EXIT_H_
#define BLENDWIRE_CLIENT_SERVER_EXIT_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "system/process.h"

namespace blendwire::client {

// An error for a server that has ended although nobody asked it to: what happened, what to do, and
// the last lines of its log. Never OK: an exit with code 0 is UNAVAILABLE.
absl::Status DescribeServerExit(const system::ProcessExit& exit,
                                const std::vector<std::string>& last_log_lines);

// `message` followed by the last lines of a log, if there are any.
std::string WithLog(const std::string& message, const std::vector<std::string>& last_log_lines);

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_SERVER_EXIT_H_

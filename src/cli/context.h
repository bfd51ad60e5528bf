// SPDX-License-Identifier: Apache-2.0
//
// What a subcommand has around it; a test gives it another one.

#ifndef BLENDWIRE_CLI_CONTEXT_H_
#define BLENDWIRE_CLI_CONTEXT_H_

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/exit_code.h"
#include "client/cancellation.h"
#include "client/client.h"

namespace blendwire::cli {

// Which server a subcommand talks to.
struct ServerChoice {
  std::string address;          // empty: a private one, started for this run
  std::string token_file;       // of the server at `address`
  std::string model_file;       // for a private server; empty: the default model
  double timeout_seconds = 60;  // of a call; a batch gets this much for each expression
};

// A client, and what must stay alive for it.
struct Session {
  Client client;
  std::shared_ptr<void> server;  // the private one, if there is one
};

struct Context {
  std::ostream& out;
  std::ostream& err;
  // Whether progress may rewrite its line on `err`.
  bool terminal = false;
  // The same for `out`.
  bool output_terminal = false;
  // Thrown by Ctrl-C.
  Cancellation cancellation;
  std::function<absl::StatusOr<Session>(const ServerChoice& choice, const Cancellation&)> connect;

  // Says `blendwire: <what>; <what to do>` on `err`.
  ExitCode Fail(const absl::Status& status, absl::string_view advice = "") const;
  ExitCode FailUsage(absl::string_view what) const;

  // For every call: ends it when Ctrl-C is pressed.
  CallOptions call() const;
};

// The real thing: OpenSession is the program's Context::connect.
absl::StatusOr<Session> OpenSession(const ServerChoice& choice, const Cancellation& cancellation);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_CONTEXT_H_

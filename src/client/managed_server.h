// SPDX-License-Identifier: Apache-2.0
//
// A server of one's own: started by this program, for this program, gone with this program.
//
//   auto server = blendwire::ManagedServer::Start({});
//   if (!server.ok()) return server.status();
//   auto client = blendwire::Client::Create(server->client_options());
//
// How it works. The server is started as `blendwire-server --managed --port 0 [arguments]`. It gets
// a fresh random token as the first line of its standard input, binds a free loopback port, and
// prints one line of JSON when it serves: {"address":"127.0.0.1:40001","pid":123,"version":"0.1.0"}.
// Its standard input stays open; it exits when that closes, so it cannot outlive this program,
// however this program ends. The token never stands in an argument or in the environment, where
// other users of the machine could read it.

#ifndef BLENDWIRE_CLIENT_MANAGED_SERVER_H_
#define BLENDWIRE_CLIENT_MANAGED_SERVER_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "client/cancellation.h"
#include "client/options.h"

namespace blendwire {

struct ManagedServerOptions {
  // The server's program. Empty: what the environment variable BLENDWIRE_SERVER names, else
  // `blendwire-server` beside the running program, else beside the library that contains this code.
  std::filesystem::path program;

  // Added after `--managed --port 0`, e.g. {"--model", "/path/face.onnx", "--workers", "2"}; UTF-8.
  std::vector<std::string> arguments;

  // Environment variables to set (a value) or to remove (no value) for the server.
  std::map<std::string, std::optional<std::string>> environment;

  // Where the server's standard error is appended. Empty: its last lines are kept in memory, for
  // error messages and recent_log().
  std::filesystem::path log_file;

  // From the start to the line that says it serves, loading the model included.
  absl::Duration start_timeout = absl::Seconds(60);

  // Restart() refuses to go on after this many crashes within crash_window.
  int max_crashes = 3;
  absl::Duration crash_window = absl::Seconds(60);
};

// Safe for use from several threads at once. Movable; a moved-from one may only be assigned to or
// destroyed. The destructor stops the server as Stop() does.
class ManagedServer {
 public:
  // Returns when the server serves. Errors, each saying what happened, what to do, and the last
  // lines of the server's log:
  //   NOT_FOUND            no such program, or none found
  //   PERMISSION_DENIED    the program may not be executed
  //   INVALID_ARGUMENT     the server refused its arguments, its configuration or its token
  //   FAILED_PRECONDITION  the address is taken or not loopback, or the model failed to load
  //   DEADLINE_EXCEEDED    it said nothing within start_timeout
  //   CANCELLED            `cancellation` was thrown meanwhile; the server is gone
  //   INTERNAL             it crashed, or said something that is no valid start-up line
  static absl::StatusOr<ManagedServer> Start(ManagedServerOptions options,
                                             const Cancellation& cancellation = {});

  ManagedServer(ManagedServer&&) noexcept;
  ManagedServer& operator=(ManagedServer&&) noexcept;
  ~ManagedServer();

  // As of the last successful start.
  std::string address() const;
  std::string token() const;
  std::string version() const;
  int64_t pid() const;

  // `base` with this server's address and token.
  ClientOptions client_options(ClientOptions base = {}) const;

  // OK while the server runs; otherwise why it does not: FAILED_PRECONDITION after Stop() and during
  // Restart(), UNAVAILABLE if something else has stopped it, else as for Start(). Never waits.
  absl::Status CheckRunning() const;
  bool running() const { return CheckRunning().ok(); }

  // Stops the server if it runs, as Stop() does, and starts it again. Address and token change: make
  // a new Client from client_options(). Each time that the server turns out to have ended by itself,
  // or fails to start, counts; after max_crashes within crash_window every further call fails with
  // FAILED_PRECONDITION, saying how it ended each time, and a new ManagedServer is needed. A start
  // that was cancelled counts for nothing.
  absl::Status Restart(const Cancellation& cancellation = {});

  // Closes the server's standard input, which makes it finish its work and exit; kills it after
  // `grace`. Returns how it ended: OK for exit code 0 or if it was stopped before,
  // DEADLINE_EXCEEDED if it had to be killed, else as for Start().
  absl::Status Stop(absl::Duration grace = absl::Seconds(5));

  // The last lines of the server's standard error (at most 100), oldest first; empty when they go
  // to log_file.
  std::vector<std::string> recent_log() const;

 private:
  class Impl;
  explicit ManagedServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The server's program as Start() would look for it; NOT_FOUND names every place tried.
absl::StatusOr<std::filesystem::path> FindServerProgram(const std::filesystem::path& program);

}  // namespace blendwire

#endif  // BLENDWIRE_CLIENT_MANAGED_SERVER_H_

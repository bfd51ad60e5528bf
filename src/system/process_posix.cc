// SPDX-License-Identifier: Apache-2.0

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "system/child_streams_posix.h"
#include "system/deadline.h"
#include "system/line_buffer.h"
#include "system/posix.h"
#include "system/process.h"
#include "system/spawn_posix.h"

namespace blendwire::system {
namespace {

// As poll(2) counts it: -1 for no limit.
int PollMilliseconds(const Deadline& deadline) { return deadline.Milliseconds().value_or(-1); }

// Keeps the SIGPIPE of a write to a dead child from ending this process, whatever the host does with
// that signal, and without touching the host's handler: it is blocked on this thread only, and a new
// one is taken away before it is unblocked.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    if (!was_pending_) pthread_sigmask(SIG_BLOCK, &pipe_, &old_mask_);
  }
  ~SigpipeGuard() {
    if (was_pending_) return;
    sigset_t pending;
    sigpending(&pending);
    if (sigismember(&pending, SIGPIPE) == 1) {
      int signal = 0;
      sigwait(&pipe_, &signal);
    }
    pthread_sigmask(SIG_SETMASK, &old_mask_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t pipe_;
  sigset_t old_mask_;
  bool was_pending_ = false;
};

class PosixProcess : public Process {
 public:
  PosixProcess(pid_t pid, bool own_group, Descriptor input, Descriptor output, Descriptor error,
               PipeEnds wake)
      : pid_(pid),
        own_group_(own_group),
        input_(std::move(input)),
        readers_{Reader{std::move(output)}, Reader{std::move(error)}},
        wake_(std::move(wake)) {}

  ~PosixProcess() override {
    CloseInput();
    Kill();
    // A killed process is gone at once, unless the kernel itself is stuck: then better a zombie
    // than a host that hangs with it.
    Wait(absl::Seconds(5));
  }

  int64_t pid() const override { return pid_; }

  absl::Status Write(std::string_view bytes, absl::Duration timeout) override {
    absl::MutexLock lock(&input_mutex_);
    if (!input_.open()) {
      return absl::FailedPreconditionError("standard input is not an open pipe");
    }
    const SigpipeGuard guard;
    const Deadline deadline(timeout);
    while (!bytes.empty()) {
      const ssize_t written = write(input_.get(), bytes.data(), bytes.size());
      if (written >= 0) {
        bytes.remove_prefix(static_cast<size_t>(written));
      } else if (errno == EPIPE) {
        return absl::UnavailableError("the process has closed its standard input");
      } else if (errno == EAGAIN) {
        if (deadline.passed()) {
          return absl::DeadlineExceededError("the process does not read its standard input");
        }
        pollfd ready{input_.get(), POLLOUT, 0};
        poll(&ready, 1, PollMilliseconds(deadline));
      } else if (errno != EINTR) {
        return SystemError(errno, "writing to the process failed");
      }
    }
    return absl::OkStatus();
  }

  void CloseInput() override {
    absl::MutexLock lock(&input_mutex_);
    input_.Close();
  }

  absl::StatusOr<std::string> ReadLine(Output output, absl::Duration timeout) override {
    Reader& reader = readers_[output == Output::kStandardOutput ? 0 : 1];
    if (!reader.pipe.open()) return absl::FailedPreconditionError("that output is not a pipe");
    const Deadline deadline(timeout);
    return reader.buffer.NextLine([&] { return ReadMore(reader, deadline); });
  }

  void StopReading() override {
    // The byte stays unread, so that every poll from now on returns.
    const char byte = 0;
    [[maybe_unused]] const ssize_t written = write(wake_.writer.get(), &byte, 1);
  }

  std::optional<ProcessExit> Wait(absl::Duration timeout) override {
    // Polling, since portable POSIX has no way to wait for one child with a time limit that leaves
    // the host's signal handlers alone.
    const Deadline deadline(timeout);
    auto pause = std::chrono::microseconds(500);
    while (true) {
      if (std::optional<ProcessExit> exit = Collect()) return exit;
      if (deadline.passed()) return std::nullopt;
      std::this_thread::sleep_for(pause);
      pause = std::min(pause * 2, std::chrono::microseconds(20'000));
    }
  }

  void Kill() override {
    absl::MutexLock lock(&exit_mutex_);
    // Once its status has been collected, the number may belong to another process.
    if (!exit_.has_value()) kill(own_group_ ? -pid_ : pid_, SIGKILL);
  }

 private:
  struct Reader {
    Descriptor pipe;
    LineBuffer buffer{kMaxLineBytes};
  };

  absl::Status ReadMore(Reader& reader, const Deadline& deadline) const {
    pollfd ready[2] = {{reader.pipe.get(), POLLIN, 0}, {wake_.reader.get(), POLLIN, 0}};
    const int count = poll(ready, 2, PollMilliseconds(deadline));
    if (count < 0) {
      return errno == EINTR ? absl::OkStatus() : SystemError(errno, "waiting for output failed");
    }
    if (ready[1].revents != 0) return absl::CancelledError("reading was stopped");
    if (count == 0) {
      return deadline.passed() ? absl::DeadlineExceededError("no line in time") : absl::OkStatus();
    }
    char chunk[4096];
    const ssize_t got = read(reader.pipe.get(), chunk, sizeof(chunk));
    if (got > 0) {
      reader.buffer.Append({chunk, static_cast<size_t>(got)});
    } else if (got == 0) {
      reader.buffer.End();
    } else if (errno != EAGAIN && errno != EINTR) {
      return SystemError(errno, "reading output failed");
    }
    return absl::OkStatus();
  }

  std::optional<ProcessExit> Collect() {
    absl::MutexLock lock(&exit_mutex_);
    if (exit_.has_value()) return exit_;
    int status = 0;
    pid_t result = 0;
    do {
      result = waitpid(pid_, &status, WNOHANG);
    } while (result == -1 && errno == EINTR);
    if (result == 0) return std::nullopt;
    ProcessExit exit;
    if (result == pid_ && WIFEXITED(status)) {
      exit = {ProcessExit::Kind::kExited, WEXITSTATUS(status)};
    } else if (result == pid_ && WIFSIGNALED(status)) {
      exit = {ProcessExit::Kind::kSignaled, WTERMSIG(status)};
    }
    exit_ = exit;
    return exit_;
  }

  const pid_t pid_;
  const bool own_group_;

  absl::Mutex input_mutex_;
  Descriptor input_ ABSL_GUARDED_BY(input_mutex_);

  Reader readers_[2];
  PipeEnds wake_;  // readable: ReadLine is to end

  absl::Mutex exit_mutex_;
  std::optional<ProcessExit> exit_ ABSL_GUARDED_BY(exit_mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const ProcessOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  absl::StatusOr<StreamEnds> input = OpenStream(options.standard_input, /*is_input=*/true);
  if (!input.ok()) return input.status();
  absl::StatusOr<StreamEnds> output = OpenStream(options.standard_output, /*is_input=*/false);
  if (!output.ok()) return output.status();
  absl::StatusOr<StreamEnds> error = OpenStream(options.standard_error, /*is_input=*/false);
  if (!error.ok()) return error.status();
  absl::StatusOr<PipeEnds> wake = OpenOwnPipe();
  if (!wake.ok()) return wake.status();
  const absl::StatusOr<pid_t> pid = Spawn(options, input->child, output->child, error->child);
  if (!pid.ok()) return pid.status();
  return std::make_unique<PosixProcess>(*pid, options.own_process_group, std::move(input->parent),
                                        std::move(output->parent), std::move(error->parent),
                                        *std::move(wake));
}

std::optional<std::string> GetEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0
//
// posix_spawn rather than fork: the parent may be a large program with many threads, which fork
// would have to copy and whose locks a forked child would find taken.

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "system/process.h"
#include "system/process_pipe.h"

extern char** environ;

namespace blendwire::system {
namespace {

using SteadyClock = std::chrono::steady_clock;

std::string ErrnoText(int error) { return std::generic_category().message(error); }

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      Close();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Descriptor() { Close(); }

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_ = -1;
};

// A time limit as poll(2) counts it: milliseconds left, rounded up; -1 for no limit.
class Deadline {
 public:
  explicit Deadline(absl::Duration timeout)
      : infinite_(timeout > absl::Hours(24 * 365)),
        at_(infinite_ ? SteadyClock::time_point::max()
                      : SteadyClock::now() + absl::ToChronoNanoseconds(timeout)) {}

  bool passed() const { return !infinite_ && SteadyClock::now() >= at_; }
  int PollMilliseconds() const {
    if (infinite_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - SteadyClock::now());
    return static_cast<int>(std::clamp<int64_t>(left.count(), 0, 1'000'000));
  }

 private:
  bool infinite_;
  SteadyClock::time_point at_;
};

absl::Status SystemError(int error, absl::string_view what) {
  const std::string message = absl::StrCat(what, ": ", ErrnoText(error));
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    case EAGAIN:
    case ENOMEM:
    case EMFILE:
    case ENFILE:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::UnknownError(message);
  }
}

// Moves a descriptor out of 0..2, where it can land when this process runs without standard
// streams, and where the child's own dup2 calls would overwrite it.
absl::Status LiftAboveStandard(Descriptor& descriptor) {
  if (descriptor.get() > STDERR_FILENO) return absl::OkStatus();
  Descriptor lifted(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (!lifted.open()) return SystemError(errno, "a pipe cannot be set up");
  descriptor = std::move(lifted);
  return absl::OkStatus();
}

// The two ends of one standard stream. An inherited stream has neither.
struct StreamEnds {
  Descriptor parent;
  Descriptor child;
};

absl::StatusOr<StreamEnds> OpenStream(const Redirect& redirect, bool is_input) {
  StreamEnds ends;
  const auto open_file = [&](const char* path) -> absl::Status {
    const int flags = is_input ? O_RDONLY : (O_WRONLY | O_CREAT | O_APPEND);
    ends.child = Descriptor(open(path, flags | O_CLOEXEC, 0600));
    if (!ends.child.open()) {
      return SystemError(errno, absl::StrCat("\"", path, "\" cannot be opened"));
    }
    return LiftAboveStandard(ends.child);
  };
  absl::Status status;
  switch (redirect.kind()) {
    case Redirect::Kind::kInherit:
      break;
    case Redirect::Kind::kNull:
      status = open_file("/dev/null");
      break;
    case Redirect::Kind::kFile:
      status = open_file(redirect.path().c_str());
      break;
    case Redirect::Kind::kPipe: {
      int fds[2];
      if (MakeCloseOnExecPipe(fds) != 0) return SystemError(errno, "a pipe cannot be made");
      ends.parent = Descriptor(fds[is_input ? 1 : 0]);
      ends.child = Descriptor(fds[is_input ? 0 : 1]);
      status = LiftAboveStandard(ends.child);
      if (status.ok()) status = LiftAboveStandard(ends.parent);
      // Only this end: the child expects blocking streams.
      fcntl(ends.parent.get(), F_SETFL, fcntl(ends.parent.get(), F_GETFL) | O_NONBLOCK);
      break;
    }
  }
  if (!status.ok()) return status;
  return ends;
}

std::vector<std::string> BuildEnvironment(
    const std::map<std::string, std::optional<std::string>>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!changes.contains(std::string(text.substr(0, text.find('='))))) result.emplace_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (value.has_value()) result.push_back(absl::StrCat(name, "=", *value));
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Owns the two attribute objects of posix_spawn.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // dup2 clears close-on-exec on the copy.
  void Connect(const Descriptor& from, int standard_stream) {
    if (from.open()) posix_spawn_file_actions_adddup2(&actions_, from.get(), standard_stream);
  }

  // A host such as Python ignores SIGPIPE, and a thread may block signals: neither is the child's.
  void ResetSignals(bool own_process_group) {
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2}) {
      sigaddset(&defaults, signal);
    }
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (own_process_group) {
      posix_spawnattr_setpgroup(&attributes_, 0);
      flags |= POSIX_SPAWN_SETPGROUP;
    }
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

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
               Descriptor wake_reader, Descriptor wake_writer)
      : pid_(pid),
        own_group_(own_group),
        input_(std::move(input)),
        readers_{Reader{std::move(output), {}}, Reader{std::move(error), {}}},
        wake_reader_(std::move(wake_reader)),
        wake_writer_(std::move(wake_writer)) {}

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
        poll(&ready, 1, deadline.PollMilliseconds());
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
    size_t searched = 0;
    while (true) {
      const size_t end = reader.buffer.find('\n', searched);
      if (end != std::string::npos && end <= kMaxLineBytes) return reader.TakeLine(end, 1);
      if (reader.buffer.size() > kMaxLineBytes) return reader.TakeLine(kMaxLineBytes, 0);
      if (reader.at_end) {
        if (reader.buffer.empty()) return absl::OutOfRangeError("end of output");
        return reader.TakeLine(reader.buffer.size(), 0);
      }
      searched = reader.buffer.size();
      if (absl::Status status = ReadMore(reader, deadline); !status.ok()) return status;
    }
  }

  void StopReading() override {
    // The byte stays unread, so that every poll from now on returns.
    const char byte = 0;
    [[maybe_unused]] const ssize_t written = write(wake_writer_.get(), &byte, 1);
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
    std::string buffer;
    bool at_end = false;

    std::string TakeLine(size_t length, size_t terminator) {
      std::string line = buffer.substr(0, length);
      buffer.erase(0, length + terminator);
      if (!line.empty() && line.back() == '\r') line.pop_back();
      return line;
    }
  };

  absl::Status ReadMore(Reader& reader, const Deadline& deadline) {
    pollfd ready[2] = {{reader.pipe.get(), POLLIN, 0}, {wake_reader_.get(), POLLIN, 0}};
    const int count = poll(ready, 2, deadline.PollMilliseconds());
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
      reader.buffer.append(chunk, static_cast<size_t>(got));
    } else if (got == 0) {
      reader.at_end = true;
    } else if (errno != EAGAIN && errno != EINTR) {
      return SystemError(errno, "reading output failed");
    }
    return absl::OkStatus();
  }

  std::optional<ProcessExit> Collect() {
    absl::MutexLock lock(&exit_mutex_);
    if (exit_.has_value()) return exit_;
    int status = 0;
    pid_t result;
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
  Descriptor wake_reader_;
  Descriptor wake_writer_;

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
  int wake[2];
  if (MakeCloseOnExecPipe(wake) != 0) return SystemError(errno, "a pipe cannot be made");
  Descriptor wake_reader(wake[0]);
  Descriptor wake_writer(wake[1]);
  // As standard output of this process they would take whatever it prints for a call to stop.
  for (Descriptor* end : {&wake_reader, &wake_writer}) {
    if (absl::Status status = LiftAboveStandard(*end); !status.ok()) return status;
  }

  SpawnSettings settings;
  settings.Connect(input->child, STDIN_FILENO);
  settings.Connect(output->child, STDOUT_FILENO);
  settings.Connect(error->child, STDERR_FILENO);
  settings.ResetSignals(options.own_process_group);

  std::vector<std::string> arguments = {options.program.native()};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> environment = BuildEnvironment(options.environment);
  pid_t pid = -1;
  const int failure =
      posix_spawn(&pid, options.program.c_str(), settings.actions(), settings.attributes(),
                  Pointers(arguments).data(), Pointers(environment).data());
  if (failure != 0) {
    return SystemError(failure,
                       absl::StrCat("\"", options.program.native(), "\" cannot be started"));
  }
  return std::make_unique<PosixProcess>(pid, options.own_process_group, std::move(input->parent),
                                        std::move(output->parent), std::move(error->parent),
                                        std::move(wake_reader), std::move(wake_writer));
}

std::optional<std::string> GetEnvironment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return std::string(value);
}

}  // namespace blendwire::system

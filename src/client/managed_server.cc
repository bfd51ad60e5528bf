// SPDX-License-Identifier: Apache-2.0

#include "client/managed_server.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/internal/circuit_breaker.h"
#include "client/internal/log_tail.h"
#include "client/internal/random_token.h"
#include "client/internal/startup_line.h"
#include "client/server_exit.h"
#include "system/executable_path.h"
#include "system/process.h"

namespace blendwire {
namespace {

using client::CircuitBreaker;
using client::DescribeServerExit;
using client::LogTail;
using client::StartupLine;
using system::Process;
using system::ProcessExit;
using Output = system::Process::Output;

std::string Utf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

std::filesystem::path FromUtf8(const std::string& text) {
  return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

bool IsFile(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error);
}

absl::Status ValidateOptions(const ManagedServerOptions& options) {
  if (options.start_timeout <= absl::ZeroDuration()) {
    return absl::InvalidArgumentError(absl::StrCat("start_timeout is ",
                                                   absl::FormatDuration(options.start_timeout),
                                                   ", but must be more than zero"));
  }
  if (options.max_crashes < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_crashes is ", options.max_crashes, ", but must be at least 1"));
  }
  return absl::OkStatus();
}

// One started process, and what belongs to it. The order matters: the log's thread reads from the
// process, so it goes first.
struct Instance {
  std::unique_ptr<Process> process;
  std::unique_ptr<LogTail> log;  // none when the log goes to a file
  StartupLine line;
  std::string token;

  std::vector<std::string> Log() const {
    return log == nullptr ? std::vector<std::string>() : log->Lines();
  }
};

// The log's last lines reach the pipe before the process ends, but not this program at once.
void AwaitLastWords(const Instance& instance) {
  if (instance.log != nullptr) instance.log->AwaitEnd(absl::Seconds(1));
}

absl::StatusOr<Instance> StartProcess(const std::filesystem::path& program,
                                      const ManagedServerOptions& options) {
  system::ProcessOptions start;
  start.program = program;
  start.arguments = {"--managed", "--port", "0"};
  start.arguments.insert(start.arguments.end(), options.arguments.begin(), options.arguments.end());
  start.standard_input = system::Redirect::Pipe();
  start.standard_output = system::Redirect::Pipe();
  start.standard_error = options.log_file.empty() ? system::Redirect::Pipe()
                                                  : system::Redirect::File(options.log_file);
  start.environment = options.environment;
  start.own_process_group = true;
  absl::StatusOr<std::unique_ptr<Process>> process = Process::Start(start);
  if (!process.ok()) return process.status();
  Instance instance;
  instance.process = *std::move(process);
  if (options.log_file.empty()) instance.log = std::make_unique<LogTail>(*instance.process);
  instance.token = client::RandomToken();
  return instance;
}

// The first line of standard output. Looks after the process, too: a child of its own may hold the
// pipe open when it has crashed.
absl::StatusOr<std::string> AwaitFirstLine(Process& process, absl::Time deadline,
                                           const Cancellation& cancellation) {
  while (true) {
    if (cancellation.cancelled()) return absl::CancelledError("the server's start was cancelled");
    const bool ended = process.Wait(absl::ZeroDuration()).has_value();
    const absl::Duration left = deadline - absl::Now();
    absl::StatusOr<std::string> line =
        process.ReadLine(Output::kStandardOutput, std::min(left, absl::Milliseconds(50)));
    if (line.ok() || line.status().code() != absl::StatusCode::kDeadlineExceeded) return line;
    if (ended) return absl::OutOfRangeError("the process has ended");
    if (left <= absl::ZeroDuration()) return line.status();
  }
}

absl::Status DescribeFailedStart(Instance& instance, const absl::Status& why,
                                 const ManagedServerOptions& options) {
  if (why.code() == absl::StatusCode::kCancelled) return why;
  if (why.code() == absl::StatusCode::kDeadlineExceeded) {
    return absl::DeadlineExceededError(client::WithLog(
        absl::StrCat("the server did not start to serve within ",
                     absl::FormatDuration(options.start_timeout),
                     "; give it more time if the model is large or the machine slow"),
        instance.Log()));
  }
  const auto exit = instance.process->Wait(absl::Seconds(1));
  if (!exit.has_value()) {
    return absl::InternalError(client::WithLog(
        "the server closed its output without saying where it serves", instance.Log()));
  }
  AwaitLastWords(instance);
  if (exit->success()) {
    return absl::InternalError(
        client::WithLog("the server ended before it served", instance.Log()));
  }
  return DescribeServerExit(*exit, instance.Log());
}

// Starts a server and returns when it serves. A process that failed to is gone on return.
absl::StatusOr<Instance> Launch(const std::filesystem::path& program,
                                const ManagedServerOptions& options,
                                const Cancellation& cancellation) {
  const absl::Time deadline = absl::Now() + options.start_timeout;
  absl::StatusOr<Instance> started = StartProcess(program, options);
  if (!started.ok()) return started.status();
  Instance instance = *std::move(started);
  const absl::Status written =
      instance.process->Write(absl::StrCat(instance.token, "\n"), options.start_timeout);
  // UNAVAILABLE: it has ended already, and its exit code says why.
  if (!written.ok() && written.code() != absl::StatusCode::kUnavailable) {
    return DescribeFailedStart(instance, written, options);
  }
  absl::StatusOr<std::string> first = AwaitFirstLine(*instance.process, deadline, cancellation);
  if (!first.ok()) return DescribeFailedStart(instance, first.status(), options);
  absl::StatusOr<StartupLine> line = client::ParseStartupLine(*first);
  if (!line.ok()) {
    return absl::Status(line.status().code(),
                        client::WithLog(std::string(line.status().message()), instance.Log()));
  }
  instance.line = *std::move(line);
  return instance;
}

}  // namespace

class ManagedServer::Impl {
 public:
  explicit Impl(ManagedServerOptions options)
      : options_(std::move(options)), breaker_(options_.max_crashes, options_.crash_window) {}

  ~Impl() { (void)Stop(absl::Seconds(5)); }

  absl::Status Start(const Cancellation& cancellation) {
    absl::MutexLock operation(&operation_mutex_);
    return StartLocked(cancellation);
  }

  absl::Status Restart(const Cancellation& cancellation) {
    absl::MutexLock operation(&operation_mutex_);
    if (CheckRunning().ok()) {
      (void)StopLocked(absl::Seconds(5));
    } else {
      RecordCrash(TakeInstance());
    }
    if (absl::Status open = breaker_.Check(); !open.ok()) {
      SetWhyNot(open);
      return open;
    }
    absl::Status started = StartLocked(cancellation);
    if (!started.ok() && started.code() != absl::StatusCode::kCancelled) {
      breaker_.RecordFailure(absl::Now(), started.ToString());
    }
    return started;
  }

  absl::Status Stop(absl::Duration grace) {
    absl::MutexLock operation(&operation_mutex_);
    return StopLocked(grace);
  }

  absl::Status CheckRunning() const {
    absl::MutexLock lock(&mutex_);
    if (instance_.process == nullptr) return why_not_;
    const auto exit = instance_.process->Wait(absl::ZeroDuration());
    if (!exit.has_value()) return absl::OkStatus();
    return DescribeServerExit(*exit, instance_.Log());
  }

  StartupLine line() const {
    absl::MutexLock lock(&mutex_);
    return line_;
  }

  std::string token() const {
    absl::MutexLock lock(&mutex_);
    return token_;
  }

  std::vector<std::string> recent_log() const {
    absl::MutexLock lock(&mutex_);
    return instance_.process == nullptr ? last_log_ : instance_.Log();
  }

 private:
  absl::Status StartLocked(const Cancellation& cancellation)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(operation_mutex_) {
    SetWhyNot(absl::FailedPreconditionError("the server is being started"));
    const absl::StatusOr<std::filesystem::path> program = FindServerProgram(options_.program);
    absl::StatusOr<Instance> instance = program.ok() ? Launch(*program, options_, cancellation)
                                                     : absl::StatusOr<Instance>(program.status());
    if (!instance.ok()) {
      SetWhyNot(instance.status());
      return instance.status();
    }
    absl::MutexLock lock(&mutex_);
    instance_ = *std::move(instance);
    line_ = instance_.line;
    token_ = instance_.token;
    return absl::OkStatus();
  }

  absl::Status StopLocked(absl::Duration grace) ABSL_EXCLUSIVE_LOCKS_REQUIRED(operation_mutex_) {
    SetWhyNot(absl::FailedPreconditionError("the server was stopped"));
    const Instance instance = TakeInstance();
    if (instance.process == nullptr) return absl::OkStatus();
    const bool ended_before = instance.process->Wait(absl::ZeroDuration()).has_value();
    instance.process->CloseInput();
    auto exit = instance.process->Wait(grace);
    absl::Status result;
    if (!exit.has_value()) {
      instance.process->Kill();
      exit = instance.process->Wait(absl::Seconds(5));
      result = absl::DeadlineExceededError(absl::StrCat(
          "the server did not stop within ", absl::FormatDuration(grace), " and was killed"));
    }
    AwaitLastWords(instance);
    if (result.ok() && (ended_before || !exit->success())) {
      result = DescribeServerExit(*exit, instance.Log());
    }
    absl::MutexLock lock(&mutex_);
    last_log_ = instance.Log();
    return result;
  }

  void RecordCrash(const Instance& ended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(operation_mutex_) {
    if (ended.process == nullptr) return;
    AwaitLastWords(ended);
    const ProcessExit exit = ended.process->Wait(absl::ZeroDuration()).value_or(ProcessExit());
    breaker_.RecordFailure(absl::Now(), DescribeServerExit(exit, ended.Log()).ToString());
  }

  Instance TakeInstance() {
    absl::MutexLock lock(&mutex_);
    if (instance_.process != nullptr) last_log_ = instance_.Log();
    return std::exchange(instance_, {});
  }

  void SetWhyNot(absl::Status why_not) {
    absl::MutexLock lock(&mutex_);
    why_not_ = std::move(why_not);
  }

  const ManagedServerOptions options_;

  // Held by what starts and stops, which can take long; mutex_ never is for long.
  absl::Mutex operation_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);
  CircuitBreaker breaker_ ABSL_GUARDED_BY(operation_mutex_);

  mutable absl::Mutex mutex_;
  Instance instance_ ABSL_GUARDED_BY(mutex_);  // without a process when none is to run
  absl::Status why_not_ ABSL_GUARDED_BY(mutex_);
  StartupLine line_ ABSL_GUARDED_BY(mutex_);
  std::string token_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> last_log_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<ManagedServer> ManagedServer::Start(ManagedServerOptions options,
                                                   const Cancellation& cancellation) {
  if (absl::Status valid = ValidateOptions(options); !valid.ok()) return valid;
  auto impl = std::make_unique<Impl>(std::move(options));
  if (absl::Status started = impl->Start(cancellation); !started.ok()) return started;
  return ManagedServer(std::move(impl));
}

ManagedServer::ManagedServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ManagedServer::ManagedServer(ManagedServer&&) noexcept = default;
ManagedServer& ManagedServer::operator=(ManagedServer&&) noexcept = default;
ManagedServer::~ManagedServer() = default;

std::string ManagedServer::address() const { return impl_->line().address; }
std::string ManagedServer::token() const { return impl_->token(); }
std::string ManagedServer::version() const { return impl_->line().version; }
int64_t ManagedServer::pid() const { return impl_->line().pid; }

ClientOptions ManagedServer::client_options(ClientOptions base) const {
  base.address = address();
  base.token = token();
  return base;
}

absl::Status ManagedServer::CheckRunning() const { return impl_->CheckRunning(); }
absl::Status ManagedServer::Restart(const Cancellation& cancellation) {
  return impl_->Restart(cancellation);
}
absl::Status ManagedServer::Stop(absl::Duration grace) { return impl_->Stop(grace); }
std::vector<std::string> ManagedServer::recent_log() const { return impl_->recent_log(); }

absl::StatusOr<std::filesystem::path> FindServerProgram(const std::filesystem::path& program) {
  if (!program.empty()) {
    if (IsFile(program)) return program;
    return absl::NotFoundError(
        absl::StrCat("the server's program \"", Utf8(program), "\" does not exist"));
  }
  if (const auto named = system::GetEnvironment("BLENDWIRE_SERVER");
      named.has_value() && !named->empty()) {
    if (IsFile(FromUtf8(*named))) return FromUtf8(*named);
    return absl::NotFoundError(
        absl::StrCat("BLENDWIRE_SERVER names \"", *named, "\", which does not exist"));
  }
  const std::filesystem::path name = system::ProgramFileName("blendwire-server");
  std::vector<std::string> tried;
  static const char in_this_module = 0;
  for (const auto& neighbour : {system::ExecutablePath(), system::ModulePath(&in_this_module)}) {
    if (!neighbour.ok()) continue;
    std::filesystem::path candidate = neighbour->parent_path() / name;
    if (IsFile(candidate)) return candidate;
    const std::string text = absl::StrCat("\"", Utf8(candidate), "\"");
    if (tried.empty() || tried.back() != text) tried.push_back(text);
  }
  return absl::NotFoundError(
      absl::StrCat("no server program was found: there is no ", absl::StrJoin(tried, " and no "),
                   "; name it, or set the environment variable BLENDWIRE_SERVER to its path"));
}

}  // namespace blendwire

// SPDX-License-Identifier: Apache-2.0
//
// The child belongs to a job that ends it when this process's last handle to the job closes, however
// this process ends.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "system/child_streams_win32.h"
#include "system/command_line_win32.h"
#include "system/deadline.h"
#include "system/files.h"
#include "system/line_buffer.h"
#include "system/process.h"
#include "system/win32.h"

namespace blendwire::system {
namespace {

static_assert(INFINITE == static_cast<DWORD>(-1));
DWORD WaitMilliseconds(const Deadline& deadline) {
  return static_cast<DWORD>(deadline.Milliseconds().value_or(-1));
}

// The exit code of a process that Kill() has ended: 128 and the number of SIGKILL, as shells have it.
constexpr int kKillSignal = 9;
constexpr UINT kKilledExitCode = 128 + kKillSignal;

Handle MakeEvent() { return Handle(CreateEventW(nullptr, /*manual*/ TRUE, FALSE, nullptr)); }

// Limits what the child inherits to its three streams: this process may have other handles that can
// be inherited, and other threads may start processes meanwhile.
class InheritedHandles {
 public:
  explicit InheritedHandles(std::vector<HANDLE> handles) : handles_(std::move(handles)) {
    // One handle must not be named twice.
    std::sort(handles_.begin(), handles_.end());
    handles_.erase(std::unique(handles_.begin(), handles_.end()), handles_.end());
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    memory_.resize(size);
    if (InitializeProcThreadAttributeList(list(), 1, 0, &size) == 0) memory_.clear();
  }
  ~InheritedHandles() {
    if (!memory_.empty()) DeleteProcThreadAttributeList(list());
  }
  InheritedHandles(const InheritedHandles&) = delete;
  InheritedHandles& operator=(const InheritedHandles&) = delete;

  bool Prepare() {
    return !memory_.empty() &&
           (handles_.empty() ||
            UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles_.data(),
                                      handles_.size() * sizeof(HANDLE), nullptr, nullptr) != 0);
  }
  bool any() const { return !handles_.empty(); }
  LPPROC_THREAD_ATTRIBUTE_LIST list() {
    return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
  }

 private:
  std::vector<HANDLE> handles_;
  std::vector<char> memory_;
};

// Ends every process in it when its last handle closes.
Handle MakeJob() {
  Handle job(CreateJobObjectW(nullptr, nullptr));
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  if (job.open()) {
    SetInformationJobObject(job.get(), JobObjectExtendedLimitInformation, &limits, sizeof(limits));
  }
  return job;
}

// Without a console of its own to share, a child would be given a new one, with a window.
DWORD ConsoleFlags(bool own_group) {
  DWORD process = 0;
  const bool has_console = GetConsoleProcessList(&process, 1) > 0;
  if (own_group) return CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP;
  return has_console ? 0 : CREATE_NO_WINDOW;
}

class WindowsProcess : public Process {
 public:
  WindowsProcess(DWORD pid, Handle process, Handle job, Handle input, Handle output, Handle error)
      : pid_(pid),
        process_(std::move(process)),
        job_(std::move(job)),
        input_(std::move(input)),
        readers_{Reader{std::move(output), MakeEvent()}, Reader{std::move(error), MakeEvent()}},
        write_event_(MakeEvent()),
        stop_event_(MakeEvent()) {}

  ~WindowsProcess() override {
    CloseInput();
    Kill();
    Wait(absl::Seconds(5));
  }

  int64_t pid() const override { return pid_; }
  absl::Status Write(std::string_view bytes, absl::Duration timeout) override;
  void CloseInput() override {
    absl::MutexLock lock(&input_mutex_);
    input_.Close();
  }
  absl::StatusOr<std::string> ReadLine(Output output, absl::Duration timeout) override;
  void StopReading() override { SetEvent(stop_event_.get()); }
  std::optional<ProcessExit> Wait(absl::Duration timeout) override;
  void Kill() override;

 private:
  struct Reader {
    Handle pipe;
    Handle event;
    LineBuffer buffer{kMaxLineBytes};
  };

  absl::Status ReadMore(Reader& reader, const Deadline& deadline);

  const DWORD pid_;
  Handle process_;
  Handle job_;

  absl::Mutex input_mutex_;
  Handle input_ ABSL_GUARDED_BY(input_mutex_);

  Reader readers_[2];
  Handle write_event_;
  Handle stop_event_;

  absl::Mutex kill_mutex_;
  bool killed_ ABSL_GUARDED_BY(kill_mutex_) = false;
};

bool IsClosedPipe(DWORD error) {
  return error == ERROR_BROKEN_PIPE || error == ERROR_NO_DATA || error == ERROR_PIPE_NOT_CONNECTED ||
         error == ERROR_HANDLE_EOF;
}

// Takes back what has not been done yet of an operation; what had been done counts.
DWORD CancelAndCount(HANDLE pipe, OVERLAPPED& operation, DWORD& error) {
  CancelIoEx(pipe, &operation);
  DWORD count = 0;
  error = GetOverlappedResult(pipe, &operation, &count, TRUE) != 0 ? ERROR_SUCCESS : GetLastError();
  return count;
}

absl::Status WindowsProcess::Write(std::string_view bytes, absl::Duration timeout) {
  absl::MutexLock lock(&input_mutex_);
  if (!input_.open()) {
    return absl::FailedPreconditionError("standard input is not an open pipe");
  }
  const Deadline deadline(timeout);
  while (!bytes.empty()) {
    // In pieces that fit the pipe, so that one that was taken back is at most one piece.
    const auto size = static_cast<DWORD>(std::min<size_t>(bytes.size(), kPipeBytes));
    OVERLAPPED operation = {};
    operation.hEvent = write_event_.get();
    DWORD count = 0;
    DWORD error = WriteFile(input_.get(), bytes.data(), size, nullptr, &operation) != 0
                      ? ERROR_SUCCESS
                      : GetLastError();
    bool in_time = true;
    if (error == ERROR_SUCCESS || error == ERROR_IO_PENDING) {
      in_time =
          WaitForSingleObject(write_event_.get(), WaitMilliseconds(deadline)) == WAIT_OBJECT_0;
      count = CancelAndCount(input_.get(), operation, error);
    }
    if (IsClosedPipe(error)) {
      return absl::UnavailableError("the process has closed its standard input");
    }
    if (error != ERROR_SUCCESS && error != ERROR_OPERATION_ABORTED) {
      return SystemError(error, "writing to the process failed");
    }
    bytes.remove_prefix(count);
    if (!in_time && !bytes.empty()) {
      return absl::DeadlineExceededError("the process does not read its standard input");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> WindowsProcess::ReadLine(Output output, absl::Duration timeout) {
  Reader& reader = readers_[output == Output::kStandardOutput ? 0 : 1];
  if (!reader.pipe.open()) return absl::FailedPreconditionError("that output is not a pipe");
  const Deadline deadline(timeout);
  return reader.buffer.NextLine([&] { return ReadMore(reader, deadline); });
}

absl::Status WindowsProcess::ReadMore(Reader& reader, const Deadline& deadline) {
  if (WaitForSingleObject(stop_event_.get(), 0) == WAIT_OBJECT_0) {
    return absl::CancelledError("reading was stopped");
  }
  char chunk[4096];
  OVERLAPPED operation = {};
  operation.hEvent = reader.event.get();
  DWORD count = 0;
  DWORD waited = WAIT_OBJECT_0;
  DWORD error = ReadFile(reader.pipe.get(), chunk, sizeof(chunk), nullptr, &operation) != 0
                    ? ERROR_SUCCESS
                    : GetLastError();
  if (error == ERROR_SUCCESS || error == ERROR_IO_PENDING) {
    const HANDLE events[] = {reader.event.get(), stop_event_.get()};
    waited = WaitForMultipleObjects(2, events, FALSE, WaitMilliseconds(deadline));
    count = CancelAndCount(reader.pipe.get(), operation, error);
  }
  reader.buffer.Append({chunk, count});
  if (IsClosedPipe(error)) {
    reader.buffer.End();
  } else if (error != ERROR_SUCCESS && error != ERROR_OPERATION_ABORTED) {
    return SystemError(error, "reading output failed");
  }
  if (count > 0 || reader.buffer.at_end() || waited == WAIT_OBJECT_0) return absl::OkStatus();
  if (waited == WAIT_TIMEOUT) return absl::DeadlineExceededError("no line in time");
  return absl::CancelledError("reading was stopped");
}

std::optional<ProcessExit> WindowsProcess::Wait(absl::Duration timeout) {
  if (WaitForSingleObject(process_.get(), WaitMilliseconds(Deadline(timeout))) != WAIT_OBJECT_0) {
    return std::nullopt;
  }
  DWORD code = 0;
  if (GetExitCodeProcess(process_.get(), &code) == 0) return ProcessExit();
  absl::MutexLock lock(&kill_mutex_);
  if (killed_ && code == kKilledExitCode) return ProcessExit{ProcessExit::Kind::kSignaled, kKillSignal};
  // An unhandled exception ends a process with its own code, which has the two highest bits set.
  const auto kind = (code >> 30) == 3 ? ProcessExit::Kind::kSignaled : ProcessExit::Kind::kExited;
  return ProcessExit{kind, static_cast<int>(code)};
}

void WindowsProcess::Kill() {
  absl::MutexLock lock(&kill_mutex_);
  if (WaitForSingleObject(process_.get(), 0) == WAIT_OBJECT_0) return;
  killed_ = true;
  if (!job_.open() || TerminateJobObject(job_.get(), kKilledExitCode) == 0) {
    TerminateProcess(process_.get(), kKilledExitCode);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> Process::Start(const ProcessOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  absl::StatusOr<StreamEnds> input = OpenStream(options.standard_input, STD_INPUT_HANDLE);
  if (!input.ok()) return input.status();
  absl::StatusOr<StreamEnds> output = OpenStream(options.standard_output, STD_OUTPUT_HANDLE);
  if (!output.ok()) return output.status();
  absl::StatusOr<StreamEnds> error = OpenStream(options.standard_error, STD_ERROR_HANDLE);
  if (!error.ok()) return error.status();

  std::vector<HANDLE> handles;
  for (const StreamEnds* ends : {&*input, &*output, &*error}) {
    if (ends->child.open()) handles.push_back(ends->child.get());
  }
  InheritedHandles inherited(std::move(handles));
  if (!inherited.Prepare()) return SystemError(GetLastError(), "a process cannot be prepared");
  STARTUPINFOEXW startup = {};
  startup.StartupInfo.cb = sizeof(startup);
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  startup.StartupInfo.hStdInput = input->child.get();
  startup.StartupInfo.hStdOutput = output->child.get();
  startup.StartupInfo.hStdError = error->child.get();
  startup.lpAttributeList = inherited.list();

  std::wstring command_line = CommandLine(options.program, options.arguments);
  std::wstring environment = EnvironmentBlock(options.environment);
  PROCESS_INFORMATION information = {};
  // Suspended, so that it belongs to the job before it can start processes of its own.
  if (CreateProcessW(options.program.c_str(), command_line.data(), nullptr, nullptr,
                     inherited.any() ? TRUE : FALSE,
                     ConsoleFlags(options.own_process_group) | CREATE_SUSPENDED |
                         CREATE_UNICODE_ENVIRONMENT | EXTENDED_STARTUPINFO_PRESENT,
                     environment.data(), nullptr, &startup.StartupInfo, &information) == 0) {
    return SystemError(GetLastError(),
                       absl::StrCat("\"", ToUtf8(options.program), "\" cannot be started"));
  }
  Handle process(information.hProcess);
  const Handle thread(information.hThread);
  Handle job = MakeJob();
  if (job.open() && AssignProcessToJobObject(job.get(), process.get()) == 0) job.Close();
  ResumeThread(thread.get());
  return std::make_unique<WindowsProcess>(information.dwProcessId, std::move(process),
                                          std::move(job), std::move(input->parent),
                                          std::move(output->parent), std::move(error->parent));
}

std::optional<std::string> GetEnvironment(const std::string& name) {
  const std::wstring wide = Wide(name);
  std::wstring value(128, L'\0');
  while (true) {
    SetLastError(ERROR_SUCCESS);
    const DWORD length =
        GetEnvironmentVariableW(wide.c_str(), value.data(), static_cast<DWORD>(value.size()));
    if (length == 0 && GetLastError() == ERROR_ENVVAR_NOT_FOUND) return std::nullopt;
    if (length < value.size()) return Utf8(std::wstring_view(value).substr(0, length));
    value.resize(length);
  }
}

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0
//
// Child processes: started without a shell, talked to over pipes, never left behind as zombies.

#ifndef BLENDWIRE_SYSTEM_PROCESS_H_
#define BLENDWIRE_SYSTEM_PROCESS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace blendwire::system {

// Where one of the child's standard streams leads.
class Redirect {
 public:
  enum class Kind { kInherit, kPipe, kNull, kFile };

  static Redirect Inherit() { return Redirect(Kind::kInherit, {}); }
  static Redirect Pipe() { return Redirect(Kind::kPipe, {}); }
  static Redirect Null() { return Redirect(Kind::kNull, {}); }
  // Read from (standard input) or appended to; an output file is created if need be, readable by
  // its owner only.
  static Redirect File(std::filesystem::path path) { return Redirect(Kind::kFile, std::move(path)); }

  Kind kind() const { return kind_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  Redirect(Kind kind, std::filesystem::path path) : kind_(kind), path_(std::move(path)) {}

  Kind kind_;
  std::filesystem::path path_;
};

struct ProcessOptions {
  // The program's file; PATH is not searched.
  std::filesystem::path program;
  // Without the program's own name; UTF-8.
  std::vector<std::string> arguments;
  Redirect standard_input = Redirect::Null();
  Redirect standard_output = Redirect::Inherit();
  Redirect standard_error = Redirect::Inherit();
  // Changes to this process's environment: a variable with a value is set, one without is removed.
  std::map<std::string, std::optional<std::string>> environment;
  // A group of its own does not get the Ctrl-C that is typed at this process's terminal.
  bool own_process_group = false;
};

// INVALID_ARGUMENT, naming the field, for what no system can start; Start() begins with it.
absl::Status CheckOptions(const ProcessOptions& options);

// How a process ended.
struct ProcessExit {
  enum class Kind {
    kExited,    // code is its exit code
    // code is the signal that ended it, or on Windows the exception, which is a negative number there
    kSignaled,
    kUnknown,   // something else in this process has collected the child's exit status
  };
  Kind kind = Kind::kUnknown;
  int code = 0;

  bool success() const { return kind == Kind::kExited && code == 0; }
  // "exit code 3", "signal 11 (segmentation fault)", "exception 0xC0000005 (access violation)", …
  std::string ToString() const;
};

// A child process. Methods may be called from several threads at once, but each of the two outputs
// has one reader at a time. The destructor kills a child that still runs.
class Process {
 public:
  enum class Output { kStandardOutput, kStandardError };

  // Returns once the program runs. NOT_FOUND: no such file; PERMISSION_DENIED: it may not be
  // executed; INVALID_ARGUMENT: an empty program, or a NUL byte or `=` where there can be none;
  // RESOURCE_EXHAUSTED: out of processes, memory or descriptors; UNKNOWN: anything else.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const ProcessOptions& options);

  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  virtual int64_t pid() const = 0;

  // Writes everything to the child's standard input. Blocks while the pipe is full, for `timeout` at
  // the most (DEADLINE_EXCEEDED). UNAVAILABLE: the child has closed its end; FAILED_PRECONDITION:
  // standard input is no pipe, or closed.
  virtual absl::Status Write(std::string_view bytes, absl::Duration timeout) = 0;

  // The child reads end-of-file from then on. Closing twice is fine.
  virtual void CloseInput() = 0;

  // The next line without its line end ("\n" or "\r\n"); what stands before end-of-file counts as a
  // line, and one of more than kMaxLineBytes comes in pieces of that size. DEADLINE_EXCEEDED: no
  // whole line within `timeout`, what came stays for the next call; OUT_OF_RANGE: end-of-file;
  // CANCELLED: StopReading() was called; FAILED_PRECONDITION: that output is no pipe.
  virtual absl::StatusOr<std::string> ReadLine(Output output, absl::Duration timeout) = 0;

  // Ends every ReadLine, running and later ones.
  virtual void StopReading() = 0;

  // How the process ended, if it does within `timeout`; zero asks without waiting.
  virtual std::optional<ProcessExit> Wait(absl::Duration timeout) = 0;

  // Ends the process at once; nothing happens if it has ended already.
  virtual void Kill() = 0;

  static constexpr size_t kMaxLineBytes = size_t{64} * 1024;

 protected:
  Process() = default;
};

// An environment variable's value in UTF-8; nothing if it is not set.
std::optional<std::string> GetEnvironment(const std::string& name);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_PROCESS_H_

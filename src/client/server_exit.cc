// SPDX-License-Identifier: Apache-2.0

#include "client/server_exit.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "contract/server_exit_code.h"

namespace blendwire::client {
namespace {

// Exit codes that come from the system.
constexpr int kCannotExecute = 126;  // no permission, or not for this machine
constexpr int kNotFound = 127;       // the program, or a library that it needs
// The same on Windows, where these two end a process like an exception: STATUS_DLL_NOT_FOUND and
// STATUS_ENTRYPOINT_NOT_FOUND, of a library that is too old.
constexpr int kDllNotFound = static_cast<int>(0xC0000135);
constexpr int kDllTooOld = static_cast<int>(0xC0000139);

struct Meaning {
  absl::StatusCode code;
  absl::string_view what;
  absl::string_view advice;
};

Meaning MeaningOf(int exit_code) {
  using absl::StatusCode;
  using contract::ServerExitCode;
  switch (exit_code) {
    case kCannotExecute:
      return {StatusCode::kPermissionDenied, "its program cannot be executed",
              "check the file's permissions, and that it was made for this system"};
    case kNotFound:
      return {StatusCode::kNotFound, "its program, or a library that it needs, was not found",
              "install it again"};
    default:
      break;
  }
  switch (static_cast<ServerExitCode>(exit_code)) {
    case ServerExitCode::kOk:
      return {StatusCode::kUnavailable, "it was stopped by something else", "start it again"};
    case ServerExitCode::kUsage:
      return {StatusCode::kInvalidArgument, "it did not accept its arguments",
              "check the extra arguments, and that server and client are of the same version"};
    case ServerExitCode::kAddressInUse:
      return {StatusCode::kFailedPrecondition, "its address is in use",
              "stop the other server, or choose another port"};
    case ServerExitCode::kAddressNotLoopback:
      return {StatusCode::kFailedPrecondition, "its address is not a loopback address",
              "use 127.0.0.1, [::1] or a unix socket"};
    case ServerExitCode::kModelFailed:
      return {StatusCode::kFailedPrecondition, "the model failed to load",
              "check the model file; without one of your own, install Blendwire again"};
    case ServerExitCode::kTokenProblem:
      return {StatusCode::kInvalidArgument, "it did not accept its token",
              "check that server and client are of the same version"};
    case ServerExitCode::kBadConfiguration:
      return {StatusCode::kInvalidArgument, "its configuration file is wrong",
              "correct or remove the file"};
    case ServerExitCode::kInternalError:
      return {StatusCode::kInternal, "an internal error",
              "start it again; if it happens again, report it with the server's log"};
  }
  return {StatusCode::kInternal, "an exit code that it does not use",
          "start it again; if it happens again, report it with the server's log"};
}

}  // namespace

std::string WithLog(const std::string& message, const std::vector<std::string>& last_log_lines) {
  constexpr size_t kMaxLines = 10;
  std::string result = message;
  if (last_log_lines.empty()) return result;
  absl::StrAppend(&result, "\nThe last lines of its log:");
  const size_t first = last_log_lines.size() - std::min(kMaxLines, last_log_lines.size());
  for (size_t i = first; i < last_log_lines.size(); ++i) {
    absl::StrAppend(&result, "\n  ", last_log_lines[i]);
  }
  return result;
}

absl::Status DescribeServerExit(const system::ProcessExit& exit,
                                const std::vector<std::string>& last_log_lines) {
  Meaning meaning = {absl::StatusCode::kInternal, "it crashed",
                     "start it again; if it happens again, report it with the server's log"};
  if (exit.kind == system::ProcessExit::Kind::kExited) {
    meaning = MeaningOf(exit.code);
  } else if (exit.kind == system::ProcessExit::Kind::kUnknown) {
    meaning.what = "nothing more is known";
  } else if (exit.code == kDllNotFound || exit.code == kDllTooOld) {
    // ONNX Runtime needs it, and a fresh Windows does not have it.
    meaning = {absl::StatusCode::kNotFound, "a library that it needs is missing or too old",
               "install the Microsoft Visual C++ Redistributable for x64 "
               "(https://aka.ms/vs/17/release/vc_redist.x64.exe), then start it again"};
  }
  return absl::Status(meaning.code,
                      WithLog(absl::StrCat("the server ended with ", exit.ToString(), ": ",
                                           meaning.what, "; ", meaning.advice),
                              last_log_lines));
}

}  // namespace blendwire::client

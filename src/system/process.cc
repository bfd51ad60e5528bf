// SPDX-License-Identifier: Apache-2.0

#include "system/process.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace blendwire::system {
namespace {

// The names that a reader of an error message knows; strsignal() is not thread-safe everywhere.
absl::string_view SignalName(int signal) {
  switch (signal) {
    case 2:
      return "interrupted";
    case 4:
      return "illegal instruction";
    case 6:
      return "aborted";
    case 8:
      return "arithmetic error";
    case 9:
      return "killed";
    case 11:
      return "segmentation fault";
    case 13:
      return "broken pipe";
    case 15:
      return "terminated";
    default:
      return "";
  }
}

// Windows' own, by its 32 bits.
absl::string_view ExceptionName(uint32_t code) {
  switch (code) {
    case 0xC0000005:
      return "access violation";
    case 0xC000001D:
      return "illegal instruction";
    case 0xC0000094:
      return "division by zero";
    case 0xC00000FD:
      return "stack overflow";
    case 0xC0000135:
      return "a DLL is missing";
    case 0xC000013A:
      return "Ctrl-C";
    case 0xC0000409:
      return "aborted";
    default:
      return "";
  }
}

std::string WithName(std::string text, absl::string_view name) {
  if (!name.empty()) absl::StrAppend(&text, " (", name, ")");
  return text;
}

}  // namespace

absl::Status CheckOptions(const ProcessOptions& options) {
  const auto has_nul = [](const auto& text) { return text.find('\0') != text.npos; };
  if (options.program.empty()) return absl::InvalidArgumentError("program is empty");
  if (has_nul(options.program.native())) {
    return absl::InvalidArgumentError("program contains a NUL byte");
  }
  for (size_t i = 0; i < options.arguments.size(); ++i) {
    if (has_nul(options.arguments[i])) {
      return absl::InvalidArgumentError(absl::StrCat("arguments[", i, "] contains a NUL byte"));
    }
  }
  for (const auto& [name, value] : options.environment) {
    if (name.empty() || name.find('=') != std::string::npos || has_nul(name) ||
        has_nul(value.value_or(""))) {
      return absl::InvalidArgumentError(absl::StrCat(
          "environment[\"", name,
          "\"]: a name must not be empty or contain '=', and neither may contain a NUL byte"));
    }
  }
  return absl::OkStatus();
}

std::string ProcessExit::ToString() const {
  switch (kind) {
    case Kind::kExited:
      return absl::StrCat("exit code ", code);
    case Kind::kSignaled:
      if (code < 0) {
        const auto exception = static_cast<uint32_t>(code);
        return WithName(absl::StrFormat("exception 0x%08X", exception), ExceptionName(exception));
      }
      return WithName(absl::StrCat("signal ", code), SignalName(code));
    case Kind::kUnknown:
      return "an exit status that could not be collected";
  }
  return "an unknown exit status";
}

}  // namespace blendwire::system

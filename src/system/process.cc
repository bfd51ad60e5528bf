// SPDX-License-Identifier: Apache-2.0

#include "system/process.h"

#include "absl/strings/str_cat.h"
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

}  // namespace

std::string ProcessExit::ToString() const {
  switch (kind) {
    case Kind::kExited:
      return absl::StrCat("exit code ", code);
    case Kind::kSignaled: {
      const absl::string_view name = SignalName(code);
      if (name.empty()) return absl::StrCat("signal ", code);
      return absl::StrCat("signal ", code, " (", name, ")");
    }
    case Kind::kUnknown:
      return "an exit status that could not be collected";
  }
  return "an unknown exit status";
}

}  // namespace blendwire::system

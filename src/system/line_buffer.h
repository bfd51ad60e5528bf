// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_LINE_BUFFER_H_
#define BLENDWIRE_SYSTEM_LINE_BUFFER_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace blendwire::system {

// Bytes that come in pieces of any size and are taken away line by line.
class LineBuffer {
 public:
  // A longer line comes in pieces of `max_line_bytes`.
  explicit LineBuffer(size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  void Append(std::string_view bytes) { bytes_.append(bytes); }
  // Nothing comes any more.
  void End() { at_end_ = true; }
  bool at_end() const { return at_end_; }

  // The next line without its line end ("\n" or "\r\n"). While there is none, calls `read_more`,
  // which appends or ends; its error is returned, and what has come stays. What stands before the end
  // counts as a line. OUT_OF_RANGE: the end.
  absl::StatusOr<std::string> NextLine(absl::FunctionRef<absl::Status()> read_more);

 private:
  std::string Take(size_t length, size_t terminator);

  size_t max_line_bytes_;
  std::string bytes_;
  bool at_end_ = false;
};

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_LINE_BUFFER_H_

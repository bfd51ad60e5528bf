// SPDX-License-Identifier: Apache-2.0

#include "system/line_buffer.h"

namespace blendwire::system {

absl::StatusOr<std::string> LineBuffer::NextLine(absl::FunctionRef<absl::Status()> read_more) {
  size_t searched = 0;
  while (true) {
    const size_t end = bytes_.find('\n', searched);
    if (end != std::string::npos && end <= max_line_bytes_) return Take(end, 1);
    if (bytes_.size() > max_line_bytes_) return Take(max_line_bytes_, 0);
    if (at_end_) {
      if (bytes_.empty()) return absl::OutOfRangeError("end of output");
      return Take(bytes_.size(), 0);
    }
    searched = bytes_.size();
    if (absl::Status status = read_more(); !status.ok()) return status;
  }
}

std::string LineBuffer::Take(size_t length, size_t terminator) {
  std::string line = bytes_.substr(0, length);
  bytes_.erase(0, length + terminator);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  return line;
}

}  // namespace blendwire::system

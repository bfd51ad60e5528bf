// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_HEADER_VALUE_H_
#define BLENDWIRE_CLIENT_INTERNAL_HEADER_VALUE_H_

#include "absl/strings/string_view.h"

namespace blendwire::client {

// Whether `text` can travel as a metadata value unchanged: printable ASCII, no space at either end
// (HTTP/2 peers may cut those off). gRPC ends the process over a value that it cannot send, so each
// one that comes from a caller is checked first.
inline bool IsHeaderValue(absl::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7e) return false;
  }
  return text.empty() || (text.front() != ' ' && text.back() != ' ');
}

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_HEADER_VALUE_H_

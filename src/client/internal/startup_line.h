// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_STARTUP_LINE_H_
#define BLENDWIRE_CLIENT_INTERNAL_STARTUP_LINE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace blendwire::client {

// What a managed server says once it serves.
struct StartupLine {
  std::string address;
  int64_t pid = 0;
  std::string version;
};

// Reads {"address":"127.0.0.1:40001","pid":123,"version":"0.1.0"}; further members are allowed.
// INTERNAL for anything else, and for an address that is not this machine's.
absl::StatusOr<StartupLine> ParseStartupLine(const std::string& line);

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_STARTUP_LINE_H_

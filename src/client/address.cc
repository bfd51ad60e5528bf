// SPDX-License-Identifier: Apache-2.0

#include "client/address.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "system/unix_socket.h"

namespace blendwire::client {
namespace {

// sockaddr_un::sun_path has 108 bytes on Linux and 104 on macOS, the closing NUL included.
constexpr size_t kMaxSocketPath = 103;

absl::Status Refuse(absl::string_view address, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat(
      "address is \"", address, "\": ", why,
      R"(; use "127.0.0.1:PORT", "localhost:PORT", "[::1]:PORT" or "unix:/path/to/socket")"));
}

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

// Strict dotted quad; "127.1" and "0x7f.0.0.1" mean different things to different libraries.
bool IsIpv4(absl::string_view host, bool* loopback) {
  const std::vector<absl::string_view> parts = absl::StrSplit(host, '.');
  if (parts.size() != 4) return false;
  for (const absl::string_view part : parts) {
    int value = 0;
    if (!AllDigits(part) || part.size() > 3 || (part.size() > 1 && part[0] == '0') ||
        !absl::SimpleAtoi(part, &value) || value > 255) {
      return false;
    }
  }
  *loopback = parts[0] == "127";
  return true;
}

absl::StatusOr<std::string> UnixTarget(absl::string_view address, absl::string_view path) {
  if (!system::HaveUnixSockets()) {
    return Refuse(address, "there are no unix sockets on this system");
  }
  if (absl::StartsWith(path, "//")) path.remove_prefix(2);  // unix:///path, as gRPC has it too
  if (path.empty()) return Refuse(address, "the socket's path is missing");
  if (path.size() > kMaxSocketPath) {
    return Refuse(address, absl::StrCat("the socket's path has ", path.size(),
                                        " bytes, and the system allows ", kMaxSocketPath));
  }
  const auto unsafe = [](char c) { return !absl::ascii_isprint(static_cast<unsigned char>(c)); };
  if (std::any_of(path.begin(), path.end(), unsafe)) {
    return Refuse(address, "the socket's path may have printable ASCII characters only");
  }
  // What a URI does not let stand for itself.
  std::string escaped;
  for (const char c : path) {
    if (absl::ascii_isalnum(static_cast<unsigned char>(c)) || absl::StrContains("/._-~", c)) {
      escaped.push_back(c);
    } else {
      absl::StrAppend(&escaped, "%", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    }
  }
  return absl::StrCat("unix:", escaped);
}

}  // namespace

absl::StatusOr<std::string> LocalTarget(absl::string_view address) {
  if (absl::StartsWith(address, "unix:")) {
    return UnixTarget(address, absl::StripPrefix(address, "unix:"));
  }
  const size_t colon = address.rfind(':');
  if (colon == absl::string_view::npos || absl::EndsWith(address, "]")) {
    return Refuse(address, "the port is missing");
  }
  const absl::string_view host = address.substr(0, colon);
  const absl::string_view port_text = address.substr(colon + 1);
  int port = 0;
  if (!AllDigits(port_text) || !absl::SimpleAtoi(port_text, &port) || port < 1 || port > 65535) {
    return Refuse(address, absl::StrCat("the port is \"", port_text, "\", not 1 to 65535"));
  }
  if (absl::EqualsIgnoreCase(host, "localhost")) return absl::StrCat("ipv4:127.0.0.1:", port);
  if (host == "[::1]") return absl::StrCat("ipv6:%5B::1%5D:", port);
  bool loopback = false;
  if (!IsIpv4(host, &loopback)) {
    return Refuse(address, "only this machine's own loopback addresses are allowed");
  }
  if (!loopback) return Refuse(address, absl::StrCat(host, " is not a loopback address"));
  return absl::StrCat("ipv4:", host, ":", port);
}

}  // namespace blendwire::client

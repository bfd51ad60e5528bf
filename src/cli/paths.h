// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_PATHS_H_
#define BLENDWIRE_CLI_PATHS_H_

#include <filesystem>
#include <string>
#include <string_view>

namespace blendwire::cli {

// Between paths and the UTF-8 that arguments and messages are, whatever the system's own encoding.
inline std::filesystem::path PathFromUtf8(std::string_view text) {
  return std::filesystem::path(std::u8string(text.begin(), text.end()));
}

inline std::string ToUtf8(const std::filesystem::path& path) {
  const std::u8string text = path.u8string();
  return std::string(text.begin(), text.end());
}

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_PATHS_H_

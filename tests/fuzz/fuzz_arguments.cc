// SPDX-License-Identifier: Apache-2.0
//
// The server's arguments, and a configuration file.

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "check.h"
#include "input.h"
#include "server/options.h"

namespace {

std::string WriteConfiguration(const std::string& text) {
  static const std::string* const kPath = new std::string(
      (std::filesystem::temp_directory_path() /
       ("blendwire-fuzz-" + std::to_string(::getpid()) + ".toml")).string());
  std::ofstream(*kPath, std::ios::binary | std::ios::trunc) << text;
  return *kPath;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace blendwire;
  std::cout.setstate(std::ios::failbit);  // help and complaints
  std::cerr.setstate(std::ios::failbit);
  fuzz::Input input(data, size);
  std::vector<std::string> words = {"blendwire-server"};
  if (input.TakeBool()) {
    words.push_back("--config");
    words.push_back(WriteConfiguration(input.TakeRest()));
  } else {
    for (const auto word : absl::StrSplit(input.TakeRest(), '\n')) {
      // A NUL ends an argument; --config would read files that are none of the fuzzer's business.
      const std::string text(word.substr(0, word.find('\0')));
      if (text.rfind("--conf", 0) != 0) words.push_back(text);
    }
  }
  std::vector<const char*> arguments;
  for (const std::string& word : words) arguments.push_back(word.c_str());
  int exit_code = -1;
  const auto options =
      server::ParseArguments(static_cast<int>(arguments.size()), arguments.data(), exit_code);
  if (!options.has_value()) {
    BLENDWIRE_FUZZ_CHECK(exit_code == 0 || exit_code == 2 || exit_code == 7);
    return 0;
  }
  BLENDWIRE_FUZZ_CHECK(options->port >= 0 && options->port <= 65535);
  BLENDWIRE_FUZZ_CHECK(options->workers >= 1 && options->queue >= 1);
  BLENDWIRE_FUZZ_CHECK(options->grace_seconds >= 0.0 && options->grace_seconds <= 3600.0);
  BLENDWIRE_FUZZ_CHECK(options->limits.max_vertices >= 1 && options->limits.max_batch_items >= 1);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_OPTIONS_H_
#define BLENDWIRE_SERVER_OPTIONS_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "server/core.h"
#include "server/log.h"

namespace blendwire::server {

// Everything the server can be told, by arguments or by --config FILE; docs/server.md.
struct ServerOptions {
  std::filesystem::path model;  // empty: the shipped default model
  bool no_model = false;
  std::string host = "127.0.0.1";
  int port = 50051;  // 0: any free one
  std::filesystem::path socket;
  int workers = 4;
  int queue = 64;
  int memory_budget_mib = 2048;
  std::optional<int> shared_memory_mib;  // 0: none; not told: none, or 64 if managed
  std::string log_level = "INFO";
  std::string log_format = "text";
  std::string device = "auto";
  int threads = 0;
  std::vector<std::filesystem::path> model_roots;
  bool managed = false;
  std::filesystem::path token_file;
  double grace_seconds = 5.0;
  Limits limits;

  // Not a server's life, but one check of one file: see model_probe.h.
  std::filesystem::path check_model;
};

// Reads the arguments. Nothing if the process is to end at once: --help and --version have been
// answered, or what is wrong has been said on standard error; `exit_code` then tells.
std::optional<ServerOptions> ParseArguments(int argc, const char* const* argv, int& exit_code);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_OPTIONS_H_

// SPDX-License-Identifier: Apache-2.0

#include "cli/commands.h"

namespace blendwire::cli {
namespace {

CLI::Option* AddCommon(CLI::App& command, ServerChoice& choice, const std::string& otherwise) {
  CLI::Option* server =
      command.add_option("--server", choice.address, "Where the server listens; " + otherwise)
          ->type_name("ADDRESS");
  command.add_option("--token-file", choice.token_file, "File (0600) with the server's token")
      ->type_name("FILE")
      ->needs(server);
  command
      .add_option("--timeout", choice.timeout_seconds,
                  "Seconds for a call, or for each expression of a batch")
      ->check(CLI::Range(0.001, 86400.0))
      ->capture_default_str();
  return server;
}

}  // namespace

void AddServerOptions(CLI::App& command, ServerChoice& choice) {
  choice.address = "127.0.0.1:50051";
  choice.timeout_seconds = 10;
  CLI::Option* server = AddCommon(command, choice, "unix:/PATH is a socket");
  server->capture_default_str();
  // The default address may want a token as well.
  command.get_option("--token-file")->remove_needs(server);
}

void AddPrivateServerOptions(CLI::App& command, ServerChoice& choice) {
  CLI::Option* server = AddCommon(command, choice, "without it, a private one is started");
  command
      .add_option("--model-file", choice.model_file,
                  "ONNX model for the private server, instead of the default one")
      ->type_name("FILE")
      ->excludes(server);
}

}  // namespace blendwire::cli

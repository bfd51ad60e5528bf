// SPDX-License-Identifier: Apache-2.0
//
// The subcommands. Each function adds one to the program's arguments; when it is the one asked for,
// parsing sets `run` to what does its work.

#ifndef BLENDWIRE_CLI_COMMANDS_H_
#define BLENDWIRE_CLI_COMMANDS_H_

#include <functional>

#include "CLI/CLI.hpp"
#include "cli/context.h"

namespace blendwire::cli {

using Run = std::function<ExitCode(Context& context)>;

void AddGenerate(CLI::App& app, Run& run);
void AddPredict(CLI::App& app, Run& run);
void AddBatch(CLI::App& app, Run& run);
void AddExpressions(CLI::App& app, Run& run);
void AddHealth(CLI::App& app, Run& run);
void AddStats(CLI::App& app, Run& run);
void AddWatch(CLI::App& app, Run& run);
void AddModels(CLI::App& app, Run& run);
void AddLoad(CLI::App& app, Run& run);
void AddUnload(CLI::App& app, Run& run);

// --server, --token-file and --timeout for a subcommand that talks to a running server.
void AddServerOptions(CLI::App& command, ServerChoice& choice);

// The same for one that starts a private server if none is named, with --model-file for that.
void AddPrivateServerOptions(CLI::App& command, ServerChoice& choice);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_COMMANDS_H_

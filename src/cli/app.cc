// SPDX-License-Identifier: Apache-2.0

#include "cli/app.h"

#include <algorithm>
#include <exception>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "contract/version.h"

namespace blendwire::cli {
namespace {

constexpr char kFooter[] = R"(
Examples:
  blendwire generate avatar.vrm -o avatar-with-faces.vrm
  blendwire generate head.glb -o out.glb --set visemes,emotions,arkit --overwrite
  blendwire generate head.obj -o out.glb --only aa,oh,Joy --names vrm --unit 0.01
  blendwire predict head.glb --expression aa -o offsets.npy
  blendwire predict head.glb --type custom --param jawOpen=0.4 --param mouthPucker=0.2
  blendwire batch head.glb --set visemes,emotions,arkit -o offsets.npz
  blendwire health --server 127.0.0.1:50051
  blendwire watch --interval 0.5

generate, predict and batch start a private server, blendwire-server beside this program, and
stop it again, unless --server names a running one. `blendwire COMMAND --help` tells more.

Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 no server, 130 interrupted.
)";

void AddCommands(CLI::App& app, Run& run) {
  AddGenerate(app, run);
  AddPredict(app, run);
  AddBatch(app, run);
  AddExpressions(app, run);
  AddHealth(app, run);
  AddStats(app, run);
  AddWatch(app, run);
  AddModels(app, run);
  AddLoad(app, run);
  AddUnload(app, run);
}

ExitCode ParseAndRun(const std::vector<std::string>& arguments, Context& context) {
  Run run;
  CLI::App app("Predicts face shape keys for avatars.", "blendwire");
  app.footer(kFooter);
  app.set_version_flag("--version", absl::StrCat("blendwire ", contract::kVersion));
  app.require_subcommand(1);
  AddCommands(app, run);
  // CLI11 would say of a misspelt one only that there is none.
  if (!arguments.empty() && !arguments[0].starts_with('-')) {
    const auto known = app.get_subcommands(
        [&](const CLI::App* command) { return command->get_name() == arguments[0]; });
    if (known.empty()) {
      return context.FailUsage(absl::StrCat("there is no command \"", arguments[0], "\""));
    }
  }
  try {
    // CLI11 wants them last first.
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    app.parse(reversed);
  } catch (const CLI::Success& wish) {  // --help, --version
    app.exit(wish, context.out, context.err);
    return ExitCode::kOk;
  } catch (const CLI::Error& error) {
    return context.FailUsage(error.what());
  }
  return run(context);
}

}  // namespace

ExitCode RunProgram(const std::vector<std::string>& arguments, Context& context) {
  try {
    return ParseAndRun(arguments, context);
  } catch (const std::exception& error) {
    return context.Fail(absl::InternalError(error.what()));
  }
}

}  // namespace blendwire::cli

// SPDX-License-Identifier: Apache-2.0

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "system/program_start.h"
#include "system/terminal.h"
#include "system/termination.h"

int main(int argc, char** argv) {
  std::vector<std::string> arguments = blendwire::system::StartProgram(argc, argv);
  if (!arguments.empty()) arguments.erase(arguments.begin());
  using blendwire::cli::ExitCode;
  const blendwire::Cancellation cancellation;
  blendwire::system::OnTerminationRequest([cancellation](const std::string&) {
    // Who asks twice does not want to wait. A private server ends by itself, with its input.
    if (cancellation.cancelled()) std::_Exit(static_cast<int>(ExitCode::kInterrupted));
    cancellation.Cancel();
  });
  blendwire::cli::Context context = {
      .out = std::cout,
      .err = std::cerr,
      .terminal = blendwire::system::StandardErrorIsTerminal(),
      .output_terminal = blendwire::system::StandardOutputIsTerminal(),
      .cancellation = cancellation,
      .connect = blendwire::cli::OpenSession};
  return static_cast<int>(blendwire::cli::RunProgram(arguments, context));
}

// SPDX-License-Identifier: Apache-2.0

#include <exception>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "contract/server_exit_code.h"
#include "model/device.h"
#include "server/model_probe.h"
#include "server/options.h"
#include "server/server.h"
#include "system/process_figures.h"
#include "system/program_start.h"
#include "system/resource_limits.h"

namespace {

int Run(const blendwire::server::ServerOptions& options) {
  if (!options.check_model.empty()) {
    return blendwire::server::CheckModelAndReport(
        options.check_model, {.device = blendwire::model::ParseDevice(options.device).value(),
                              .threads = options.threads});
  }
  return static_cast<int>(blendwire::server::RunServer(options));
}

}  // namespace

int main(int argc, char** argv) {  // NOLINT(misc-const-correctness): as the language has it
  try {
    blendwire::system::ShareHeaps();
    blendwire::system::RaiseDescriptorLimit();
    const std::vector<std::string> arguments = blendwire::system::StartProgram(argc, argv);
    std::vector<const char*> pointers;
    pointers.reserve(arguments.size());
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());
    int exit_code = 0;
    const std::optional<blendwire::server::ServerOptions> options =
        blendwire::server::ParseArguments(static_cast<int>(pointers.size()), pointers.data(),
                                          exit_code);
    blendwire::system::EndProgram(options.has_value() ? Run(*options) : exit_code);
  } catch (const std::exception& error) {
    std::cerr << "blendwire-server: " << error.what() << std::endl;
    return static_cast<int>(blendwire::contract::ServerExitCode::kInternalError);
  }
}

// SPDX-License-Identifier: Apache-2.0

#include "cli/mesh_options.h"

namespace blendwire::cli {

void AddMeshOptions(CLI::App& command, MeshChoice& choice) {
  command
      .add_option("--mesh", choice.names,
                  "Only this mesh, by its own or its node's name; may be given several times")
      ->type_name("NAME")
      ->expected(1)
      ->take_all();
  command.add_option("--unit", choice.unit, "Metres that one unit of an .obj file is")
      ->check(CLI::Range(1e-5, 1e5))
      ->capture_default_str();
}

}  // namespace blendwire::cli

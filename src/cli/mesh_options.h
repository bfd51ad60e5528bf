// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLI_MESH_OPTIONS_H_
#define BLENDWIRE_CLI_MESH_OPTIONS_H_

#include <string>
#include <vector>

#include "CLI/CLI.hpp"

namespace blendwire::cli {

// Which meshes of a file are meant, and how large they are.
struct MeshChoice {
  std::vector<std::string> names;  // none: all
  double unit = 1.0;               // metres that one unit of an .obj file is
};

void AddMeshOptions(CLI::App& command, MeshChoice& choice);

}  // namespace blendwire::cli

#endif  // BLENDWIRE_CLI_MESH_OPTIONS_H_

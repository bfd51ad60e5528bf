// SPDX-License-Identifier: Apache-2.0
//
// The floor: ONNX Runtime in this process, with the server's own session settings, and nothing
// around it. Prints one line of JSON (measure.h).

#include <CLI/CLI.hpp>
#include <iostream>
#include <string>
#include <vector>

#include "measure.h"
#include "mesh/normals.h"
#include "mesh_file.h"
#include "model/model.h"

namespace blendwire::bench {
namespace {

struct Settings {
  std::string model_file;
  std::string mesh_file;
  int64_t batch = 1;
  int model_threads = 0;
  bool again = false;
  Plan plan;
};

// [batch,K], row b has one 1 where expression b has its slot.
std::vector<float> Conditions(int64_t batch, int size) {
  std::vector<float> conditions(static_cast<size_t>(batch * size), 0.0f);
  for (int64_t row = 0; row < batch; ++row) {
    conditions[static_cast<size_t>(row * size + row % size)] = 1.0f;
  }
  return conditions;
}

absl::Status Run(const Settings& settings) {
  const absl::StatusOr<Mesh> mesh = ReadMesh(settings.mesh_file);
  if (!mesh.ok()) return mesh.status();
  const auto model = model::Model::Load(
      settings.model_file, {.device = model::Device::kCpu, .threads = settings.model_threads});
  if (!model.ok()) return model.status();
  const model::ModelFacts& facts = (*model)->facts();
  if (settings.again && facts.feature_size == 0) {
    return absl::InvalidArgumentError("--again: the model cannot encode a mesh once");
  }

  const std::vector<float> normals = mesh::VertexNormals(mesh->vertices, mesh->triangles);
  const std::vector<float> conditions = Conditions(settings.batch, facts.condition_size);
  std::vector<float> features(mesh->vertex_count() * static_cast<size_t>(facts.feature_size));
  std::vector<std::vector<float>> offsets(static_cast<size_t>(settings.plan.threads));
  for (auto& each : offsets) {
    each.resize(mesh->vertices.size() * static_cast<size_t>(settings.batch));
  }
  model::RunArguments arguments{mesh->vertices, normals, conditions, settings.batch,
                                absl::MakeSpan(offsets[0])};
  if (settings.again) {
    arguments.encoded = absl::MakeSpan(features);
    if (const absl::Status status = (*model)->Run(arguments); !status.ok()) return status;
    arguments.encoded = {};
    arguments.features = features;
  }
  std::cout << Measure(settings.plan, [&](int thread, size_t) {
    model::RunArguments own = arguments;
    own.offsets = absl::MakeSpan(offsets[static_cast<size_t>(thread)]);
    return (*model)->Run(own);
  }) << "\n";
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Runs a model in this process and prints how long it took, as JSON.");
  app.add_option("--model", settings.model_file)->required();
  app.add_option("--mesh", settings.mesh_file, "a mesh of scripts/bench")->required();
  app.add_option("--batch", settings.batch, "conditions of one run")->check(CLI::Range(1, 1024));
  app.add_option("--model-threads", settings.model_threads, "of one run; 0: one per processor");
  app.add_flag("--again", settings.again, "the mesh has been encoded before");
  app.add_option("--callers", settings.plan.threads, "runs at a time")->check(CLI::Range(1, 64));
  app.add_option("--seconds", settings.plan.seconds);
  app.add_option("--at-least", settings.plan.at_least);
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = Run(settings); !status.ok()) {
    std::cerr << "floor: " << status.message() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace blendwire::bench

int main(int argc, char** argv) { return blendwire::bench::Main(argc, argv); }

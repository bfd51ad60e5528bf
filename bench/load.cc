// SPDX-License-Identifier: Apache-2.0
//
// Calls a server with the C++ client and prints one line of JSON (measure.h).

#include <CLI/CLI.hpp>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/client.h"
#include "expression/table.h"
#include "measure.h"
#include "mesh_file.h"

namespace blendwire::bench {
namespace {

struct Settings {
  std::string address;
  std::string mesh_file;
  std::string kind = "single";
  size_t items = 1;
  bool own_meshes = false;
  bool fresh = false;
  bool plain = false;
  // Meshes of another process are other meshes, too.
  float salt = 0.01f * static_cast<float>(std::random_device()()) / 4294967296.0f;
  Plan plan;
};

// The same for every client of every language: visemes, then ARKit units.
std::vector<Expression> Expressions() {
  std::vector<Expression> made;
  for (const auto& [kind, ours] : {std::pair(expression::Kind::kViseme, ExpressionKind::kViseme),
                                   std::pair(expression::Kind::kCustom, ExpressionKind::kCustom)}) {
    for (const expression::Expression& known : expression::Table::Get().expressions()) {
      if (known.kind != kind) continue;
      made.emplace_back();
      made.back().kind = ours;
      made.back().name = known.name;
    }
  }
  return made;
}

// What one thread sends, with a connection and a mesh of its own.
class Caller {
 public:
  Caller(const Settings& settings, const Mesh& mesh, int thread, Client client)
      : settings_(settings),
        client_(std::move(client)),
        thread_(thread),
        meshes_(settings.own_meshes ? settings.items : 1, mesh) {
    if (settings.plain) {
      options_ = {false, 0, 0.0f, false, 30};
      for (Mesh& own : meshes_) own.triangles.clear();
    }
    offsets_.resize(settings.items * mesh.vertices.size());
    for (size_t i = 0; i < meshes_.size(); ++i) Touch(i, i);
  }

  absl::Status Call(size_t number) {
    if (settings_.fresh) {
      for (size_t i = 0; i < meshes_.size(); ++i) Touch(i, number * meshes_.size() + i);
    }
    return settings_.kind == "single" ? Single(number) : Batch();
  }

 private:
  // Makes the mesh another one, as far as anything that remembers meshes can tell.
  void Touch(size_t mesh, size_t number) {
    meshes_[mesh].vertices[0] = 1e-6f * static_cast<float>(number % 10'000);
    meshes_[mesh].vertices[1] = 1e-4f * static_cast<float>(thread_) + settings_.salt;
  }

  MeshView View(size_t mesh) const { return {meshes_[mesh].vertices, meshes_[mesh].triangles}; }

  absl::Span<float> Output(size_t item) {
    const size_t floats = meshes_[0].vertices.size();
    return absl::MakeSpan(offsets_.data() + item * floats, floats);
  }

  absl::Status Single(size_t number) {
    PredictRequest request;
    request.mesh = View(0);
    request.expression = expressions_[1 + number % 14];
    request.options = options_;
    return client_.PredictInto(request, Output(0)).status();
  }

  absl::Status Batch() {
    BatchRequest request;
    if (!settings_.own_meshes) request.mesh = View(0);
    for (size_t i = 0; i < settings_.items; ++i) {
      BatchItem item;
      item.expression = expressions_[i % expressions_.size()];
      item.options = options_;
      if (settings_.own_meshes) item.mesh = View(i);
      item.output = Output(i);
      request.items.push_back(std::move(item));
    }
    const absl::StatusOr<BatchResult> result =
        settings_.kind == "stream" ? client_.PredictStream(request, [](const BatchUpdate&) {})
                                   : client_.PredictBatch(request);
    if (!result.ok()) return result.status();
    for (const absl::StatusOr<Prediction>& item : result->items) {
      if (!item.ok()) return item.status();
    }
    return absl::OkStatus();
  }

  const Settings& settings_;
  Client client_;
  const int thread_;
  PredictionOptions options_;
  std::vector<Mesh> meshes_;
  std::vector<float> offsets_;
  const std::vector<Expression> expressions_ = Expressions();
};

absl::Status Run(const Settings& settings) {
  const absl::StatusOr<Mesh> mesh = ReadMesh(settings.mesh_file);
  if (!mesh.ok()) return mesh.status();
  std::vector<Caller> callers;
  callers.reserve(static_cast<size_t>(settings.plan.threads));
  for (int i = 0; i < settings.plan.threads; ++i) {
    ClientOptions options;
    options.address = settings.address;
    options.timeout = absl::Minutes(2);
    options.channels = 1;
    absl::StatusOr<Client> client = Client::Create(options);
    if (!client.ok()) return client.status();
    callers.emplace_back(settings, *mesh, i, *std::move(client));
  }
  std::cout << Measure(settings.plan, [&callers](int thread, size_t number) {
    return callers[static_cast<size_t>(thread)].Call(number);
  }) << "\n";
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Calls a server with the C++ client and prints how long it took, as JSON.");
  app.add_option("--address", settings.address, "127.0.0.1:PORT or unix:/PATH")->required();
  app.add_option("--mesh", settings.mesh_file, "a mesh of scripts/bench")->required();
  app.add_option("--kind", settings.kind)->check(CLI::IsMember({"single", "batch", "stream"}));
  app.add_option("--items", settings.items, "expressions of a batch")->check(CLI::Range(1, 67));
  app.add_flag("--own-meshes", settings.own_meshes, "each item of a batch has its own");
  app.add_flag("--fresh", settings.fresh, "no two calls with the same mesh");
  app.add_flag("--plain", settings.plain, "no triangles, neither smoothing nor clamp");
  app.add_option("--clients", settings.plan.threads)->check(CLI::Range(1, 1024));
  app.add_option("--seconds", settings.plan.seconds);
  app.add_option("--at-least", settings.plan.at_least, "calls of each client");
  app.add_option("--warm-up", settings.plan.warm_up, "calls of each client");
  app.add_option("--rate", settings.plan.rate, "calls per second of all; 0: as fast as it goes");
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = Run(settings); !status.ok()) {
    std::cerr << "load: " << status.message() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace blendwire::bench

int main(int argc, char** argv) { return blendwire::bench::Main(argc, argv); }

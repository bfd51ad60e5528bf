// SPDX-License-Identifier: Apache-2.0
//
// Starts a server of its own, predicts three mouth shapes of one mesh and reports each as it
// arrives:
//
//   visemes [path/to/blendwire-server]

#include <cstdint>
#include <iostream>
#include <vector>

#include "blendwire/client/client.h"
#include "blendwire/client/managed_server.h"

namespace {

absl::Status Run(const char* program) {
  blendwire::ManagedServerOptions options;
  if (program != nullptr) options.program = program;
  absl::StatusOr<blendwire::ManagedServer> server = blendwire::ManagedServer::Start(options);
  if (!server.ok()) return server.status();
  absl::StatusOr<blendwire::Client> client = blendwire::Client::Create(server->client_options());
  if (!client.ok()) return client.status();

  // Metres, Z up, the face looks along -Y.
  const std::vector<float> vertices = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
  const std::vector<uint32_t> triangles = {0, 1, 2, 0, 2, 3};
  blendwire::BatchRequest request;
  request.mesh = {vertices, triangles};
  for (const char* name : {"aa", "E", "oh"}) {
    blendwire::BatchItem item;
    item.expression.name = name;
    request.items.push_back(item);
  }
  const auto report = [](const blendwire::BatchUpdate& update) {
    std::cout << update.completed << " of " << update.total << "\n";
  };
  const absl::StatusOr<blendwire::BatchResult> result = client->PredictStream(request, report);
  if (!result.ok()) return result.status();
  for (const absl::StatusOr<blendwire::Prediction>& item : result->items) {
    if (!item.ok()) return item.status();
    std::cout << item->offsets.size() / 3 << " offsets from model " << item->metadata.model_version
              << "\n";
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run(argc > 1 ? argv[1] : nullptr);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}

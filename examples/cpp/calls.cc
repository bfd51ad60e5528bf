// SPDX-License-Identifier: Apache-2.0
//
// The forms of a call, one function each. docs/client-cpp.md explains them.
//
//   calls [path/to/blendwire-server]

#include <cstdint>
#include <future>
#include <iostream>
#include <vector>

#include "absl/synchronization/notification.h"
#include "blendwire/client/client.h"
#include "blendwire/client/managed_server.h"

namespace {

// Waits for the answer, and has it written into a buffer of one's own.
absl::Status PredictInPlace(const blendwire::Client& client,
                            const blendwire::PredictRequest& request) {
  std::vector<float> offsets(request.mesh.vertices.size());
  absl::StatusOr<blendwire::PredictionMetadata> metadata =
      client.PredictInto(request, absl::MakeSpan(offsets));
  if (!metadata.ok()) return metadata.status();
  std::cout << "in place: " << metadata->vertices_processed << " vertices\n";
  return absl::OkStatus();
}

// Does something else meanwhile.
absl::Status PredictWithFuture(const blendwire::Client& client,
                               const blendwire::PredictRequest& request) {
  std::future<absl::StatusOr<blendwire::Prediction>> future = client.PredictAsync(request);
  std::cout << "meanwhile ...\n";
  absl::StatusOr<blendwire::Prediction> prediction = future.get();
  if (!prediction.ok()) return prediction.status();
  std::cout << "future: " << prediction->offsets.size() << " floats\n";
  return absl::OkStatus();
}

// Is called back, on a thread of the client's own.
void PredictWithCallback(const blendwire::Client& client,
                         const blendwire::PredictRequest& request) {
  absl::Notification done;
  client.PredictAsync(request, {}, [&done](absl::StatusOr<blendwire::Prediction> prediction) {
    std::cout << "callback: " << (prediction.ok() ? "OK" : "failed") << "\n";
    done.Notify();
  });
  done.WaitForNotification();
}

// Gives up half-way: the server drops what is left.
absl::Status CancelBatch(const blendwire::Client& client, const blendwire::BatchRequest& request) {
  blendwire::CallOptions call;
  call.timeout = absl::Seconds(20);
  const auto on_update = [&call](const blendwire::BatchUpdate& update) {
    if (update.completed == 2) call.cancellation.Cancel();
  };
  absl::StatusOr<blendwire::BatchResult> result = client.PredictStream(request, on_update, call);
  std::cout << "batch: " << absl::StatusCodeToString(result.status().code()) << "\n";
  return absl::OkStatus();
}

absl::Status Run(const char* program) {
  blendwire::ManagedServerOptions options;
  if (program != nullptr) options.program = program;
  absl::StatusOr<blendwire::ManagedServer> server = blendwire::ManagedServer::Start(options);
  if (!server.ok()) return server.status();
  absl::StatusOr<blendwire::Client> client = blendwire::Client::Create(server->client_options());
  if (!client.ok()) return client.status();

  const std::vector<float> vertices = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
  const std::vector<uint32_t> triangles = {0, 1, 2, 0, 2, 3};
  blendwire::PredictRequest request;
  request.mesh = {vertices, triangles};
  request.expression.name = "aa";
  if (absl::Status s = PredictInPlace(*client, request); !s.ok()) return s;
  if (absl::Status s = PredictWithFuture(*client, request); !s.ok()) return s;
  PredictWithCallback(*client, request);

  blendwire::BatchRequest batch;
  batch.mesh = request.mesh;
  for (const char* name : {"sil", "aa", "E", "ih", "oh", "ou"}) {
    blendwire::BatchItem item;
    item.expression.name = name;
    batch.items.push_back(item);
  }
  if (absl::Status s = CancelBatch(*client, batch); !s.ok()) return s;

  absl::StatusOr<blendwire::ServerStats> stats = client->Stats();
  if (!stats.ok()) return stats.status();
  std::cout << "the server has answered requests: " << (stats->total_requests > 0 ? "yes" : "no")
            << "\n";
  return server->Stop();
}

}  // namespace

int main(int argc, char** argv) {
  const absl::Status status = Run(argc > 1 ? argv[1] : nullptr);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}

// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the client's connection share.

#ifndef BLENDWIRE_CLIENT_TESTING_CONNECTIONS_H_
#define BLENDWIRE_CLIENT_TESTING_CONNECTIONS_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "client/client.h"
#include "client/testing/fake_server.h"
#include "grpcpp/grpcpp.h"

namespace blendwire::testing {

// Nobody listens there: the port was free a moment ago.
inline std::string DeadAddress() {
  FakeService service;
  FakeServer server(service);
  return server.address();
}

inline Client Connect(const std::string& address, const ClientOptions& base = {}) {
  ClientOptions options = base;
  options.address = address;
  return Client::Create(options).value();
}

inline ClientOptions WithoutRetries() {
  ClientOptions options;
  options.retry.max_attempts = 1;
  return options;
}

inline BatchRequest Batch(const std::vector<float>& vertices, size_t items) {
  BatchRequest request;
  request.mesh.vertices = vertices;
  request.items.resize(items);
  for (BatchItem& item : request.items) item.expression.name = "aa";
  return request;
}

// Holds calls on the server until it is opened, or until they are cancelled.
class Gate {
 public:
  grpc::Status Wait(const grpc::ServerContext& context) {
    ++waiting_;
    while (!open_ && !context.IsCancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    --waiting_;
    return context.IsCancelled() ? grpc::Status(grpc::CANCELLED, "") : grpc::Status::OK;
  }
  void Open() { open_ = true; }
  int waiting() const { return waiting_; }
  void AwaitWaiting(int count) const {
    while (waiting_ != count) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

 private:
  std::atomic<bool> open_ = false;
  std::atomic<int> waiting_ = 0;
};

}  // namespace blendwire::testing

#endif  // BLENDWIRE_CLIENT_TESTING_CONNECTIONS_H_

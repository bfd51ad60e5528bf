// SPDX-License-Identifier: Apache-2.0
//
// FakeService as a program, for tests in other languages and of the managed server:
//
//   fake_server [--managed] [--port N]
//
// It prints the start-up line of a managed server and serves until its standard input closes. With
// --managed the first line of standard input is the token, demanded on every call. Names of
// expressions make it misbehave: "bad" fails, "slow:MS" takes that long unless it is cancelled,
// "sil" takes until it is cancelled (20 s at most), so that whoever gives up a batch half-way, as an
// example does, is never too late; "crash" aborts the program. The model "echo" tells in its version what it was asked.

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/testing/fake_server.h"

namespace blendwire::testing {
namespace {

grpc::Status CheckToken(const grpc::ServerContext& context, const std::string& token) {
  if (token.empty()) return grpc::Status::OK;
  const auto found = context.client_metadata().find("authorization");
  if (found != context.client_metadata().end() &&
      std::string(found->second.data(), found->second.size()) == "Bearer " + token) {
    return grpc::Status::OK;
  }
  return grpc::Status(grpc::UNAUTHENTICATED, "the token is missing or wrong");
}

grpc::Status Misbehave(const grpc::ServerContext& context, absl::string_view expression) {
  if (expression == "crash") std::abort();
  int milliseconds = 0;
  if (expression == "sil") {
    milliseconds = 20'000;
  } else if (!absl::ConsumePrefix(&expression, "slow:") ||
             !absl::SimpleAtoi(expression, &milliseconds)) {
    return grpc::Status::OK;
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (std::chrono::steady_clock::now() < end) {
    if (context.IsCancelled()) return grpc::Status(grpc::CANCELLED, "");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return grpc::Status::OK;
}

std::string Summary(const contract::VertexOffsetRequest& request) {
  const auto& condition = request.condition();
  const auto& options = request.options();
  std::string parameters;
  for (const auto& [name, weight] : condition.parameters()) {
    absl::StrAppend(&parameters, name, "=", weight, ",");
  }
  return absl::StrCat("type ", condition.type(), " name ", condition.name(), " features ",
                      condition.features_size(), " parameters ", parameters, " triangles ",
                      request.topology().triangles_size(), " options ", options.apply_smoothing(),
                      " ", options.smoothing_iterations(), " ", options.max_displacement(), " ",
                      options.clamp_extreme_values(), " ", options.timeout_seconds());
}

class NaughtyService {
 public:
  explicit NaughtyService(const std::string& token) {
    service_.before = [token](auto& context, auto&) { return CheckToken(context, token); };
    service_.before_answer = [](auto& context, const auto& request) {
      return Misbehave(context, request.condition().name());
    };
    service_.spoil = [this](auto& response) {
      const auto request = service_.LastPredict();
      if (request.model_name() == "echo") {
        response.mutable_metadata()->set_model_version(Summary(request));
      }
    };
  }

  FakeService& service() { return service_; }

 private:
  FakeService service_;
};

int Run(bool managed, const std::string& port) {
  std::string line;
  if (managed) std::getline(std::cin, line);
  NaughtyService naughty(line);
  const FakeServer server(naughty.service(), "127.0.0.1:" + port);
  if (!server.started()) return 3;
  std::cout << "{\"address\":\"" << server.address() << "\",\"pid\":" << getpid()
            << ",\"version\":\"0.1.0\"}" << std::endl;
  while (std::getline(std::cin, line)) {
  }
  return 0;
}

}  // namespace
}  // namespace blendwire::testing

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  bool managed = false;
  std::string port = "0";
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--managed") managed = true;
    if (arguments[i] == "--port" && i + 1 < arguments.size()) port = arguments[i + 1];
  }
  return blendwire::testing::Run(managed, port);
}

// SPDX-License-Identifier: Apache-2.0
//
// Calls Triton from C++, as a program would that has nothing of ours, and prints one line of JSON
// (measure.h): the arrays travel in the messages, or lie in memory that both processes see.

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstring>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"
#include "kserve_v2.grpc.pb.h"
#include "measure.h"
#include "mesh_file.h"
#include "system/shared_memory.h"

namespace blendwire::bench {
namespace {

struct Settings {
  std::string address;
  std::string mesh_file;
  std::string model;
  int condition_size = 0;
  bool fresh = false;
  bool shared_memory = false;
  Plan plan;
};

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat(status.error_code(), ": ", status.error_message()));
}

// Memory that Triton knows by its name, until this goes.
class Region {
 public:
  static absl::StatusOr<std::unique_ptr<Region>> Create(
      inference::GRPCInferenceService::Stub& stub, size_t bytes) {
    auto memory = system::SharedMemory::Create(bytes);
    if (!memory.ok()) return memory.status();
    if (const absl::Status status = (*memory)->Reserve(0, bytes); !status.ok()) return status;
    inference::SystemSharedMemoryRegisterRequest request;
    request.set_name((*memory)->name());
    request.set_key((*memory)->name());
    request.set_byte_size(bytes);
    inference::SystemSharedMemoryRegisterResponse response;
    grpc::ClientContext context;
    const absl::Status status =
        ToStatus(stub.SystemSharedMemoryRegister(&context, request, &response));
    if (!status.ok()) return status;
    return std::unique_ptr<Region>(new Region(stub, *std::move(memory)));
  }

  ~Region() {
    inference::SystemSharedMemoryUnregisterRequest request;
    request.set_name(memory_->name());
    inference::SystemSharedMemoryUnregisterResponse response;
    grpc::ClientContext context;
    if (const absl::Status status =
            ToStatus(stub_.SystemSharedMemoryUnregister(&context, request, &response));
        !status.ok()) {
      std::cerr << "triton-load: " << memory_->name() << " stays registered: " << status.message()
                << "\n";
    }
  }
  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  std::byte* data() { return memory_->data(); }

  // Says of a tensor that it lies here.
  void Describe(google::protobuf::Map<std::string, inference::InferParameter>& parameters) const {
    parameters["shared_memory_region"].set_string_param(memory_->name());
    parameters["shared_memory_byte_size"].set_int64_param(static_cast<int64_t>(memory_->size()));
  }

 private:
  Region(inference::GRPCInferenceService::Stub& stub,
         std::unique_ptr<system::SharedMemory> memory)
      : stub_(stub), memory_(std::move(memory)) {}

  inference::GRPCInferenceService::Stub& stub_;
  std::unique_ptr<system::SharedMemory> memory_;
};

// What one thread sends, with a connection, a mesh and a request of its own.
class Caller {
 public:
  Caller(const Settings& settings, const Mesh& mesh, int thread)
      : fresh_(settings.fresh), vertices_(mesh.vertices) {
    vertices_[1] = 1e-4f * static_cast<float>(thread);
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(-1);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // each thread its own connection
    stub_ = inference::GRPCInferenceService::NewStub(grpc::CreateCustomChannel(
        settings.address, grpc::InsecureChannelCredentials(), arguments));
    request_.set_model_name(settings.model);
    const auto count = static_cast<int64_t>(mesh.vertex_count());
    AddInput("vertices", {1, count, 3});
    AddInput("condition", {1, settings.condition_size});
    request_.add_outputs()->set_name("offsets");
    const std::vector<float> condition(static_cast<size_t>(settings.condition_size), 0.0f);
    if (!settings.shared_memory) request_.add_raw_input_contents();
    request_.add_raw_input_contents(condition.data(), condition.size() * sizeof(float));
  }

  // Vertices and offsets from now on lie in shared memory.
  absl::Status ShareMemory() {
    for (std::unique_ptr<Region>* region : {&input_, &output_}) {
      auto created = Region::Create(*stub_, bytes());
      if (!created.ok()) return created.status();
      *region = *std::move(created);
    }
    input_->Describe(*request_.mutable_inputs(0)->mutable_parameters());
    output_->Describe(*request_.mutable_outputs(0)->mutable_parameters());
    return absl::OkStatus();
  }

  absl::Status Call(size_t number) {
    if (fresh_) vertices_[0] = 1e-6f * static_cast<float>(number % 10'000);
    if (input_ != nullptr) {
      std::memcpy(input_->data(), vertices_.data(), bytes());
    } else {
      request_.mutable_raw_input_contents(0)->assign(
          reinterpret_cast<const char*>(vertices_.data()), bytes());
    }
    grpc::ClientContext context;
    if (absl::Status status = ToStatus(stub_->ModelInfer(&context, request_, &response_));
        !status.ok()) {
      return status;
    }
    return Check();
  }

 private:
  size_t bytes() const { return vertices_.size() * sizeof(float); }

  void AddInput(const std::string& name, std::initializer_list<int64_t> shape) {
    auto& input = *request_.add_inputs();
    input.set_name(name);
    input.set_datatype("FP32");
    for (const int64_t length : shape) input.add_shape(length);
  }

  absl::Status Check() {
    const void* offsets = nullptr;
    if (output_ != nullptr) {
      offsets = output_->data();
    } else if (response_.raw_output_contents_size() == 1 &&
               response_.raw_output_contents(0).size() == bytes()) {
      offsets = response_.raw_output_contents(0).data();
    }
    float first = 0.0f;
    if (offsets != nullptr) std::memcpy(&first, offsets, sizeof first);
    if (offsets == nullptr || !std::isfinite(first)) {
      return absl::InternalError("no offsets in the answer");
    }
    return absl::OkStatus();
  }

  const bool fresh_;
  std::vector<float> vertices_;
  std::unique_ptr<inference::GRPCInferenceService::Stub> stub_;
  std::unique_ptr<Region> input_;
  std::unique_ptr<Region> output_;
  inference::ModelInferRequest request_;
  inference::ModelInferResponse response_;
};

absl::Status Run(const Settings& settings) {
  const absl::StatusOr<Mesh> mesh = ReadMesh(settings.mesh_file);
  if (!mesh.ok()) return mesh.status();
  std::vector<std::unique_ptr<Caller>> callers;
  for (int i = 0; i < settings.plan.threads; ++i) {
    callers.push_back(std::make_unique<Caller>(settings, *mesh, i));
    if (!settings.shared_memory) continue;
    if (const absl::Status status = callers.back()->ShareMemory(); !status.ok()) return status;
  }
  std::cout << Measure(settings.plan, [&callers](int thread, size_t number) {
    return callers[static_cast<size_t>(thread)]->Call(number);
  }) << "\n";
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Calls Triton (KServe v2 over gRPC) and prints how long it took, as JSON.");
  app.add_option("--address", settings.address, "127.0.0.1:PORT")->required();
  app.add_option("--mesh", settings.mesh_file, "a mesh of scripts/bench")->required();
  app.add_option("--model", settings.model, "the model's name")->required();
  app.add_option("--condition-size", settings.condition_size)->required();
  app.add_flag("--fresh", settings.fresh, "no two calls with the same mesh");
  app.add_flag("--shared-memory", settings.shared_memory, "Triton's own way");
  app.add_option("--clients", settings.plan.threads)->check(CLI::Range(1, 1024));
  app.add_option("--seconds", settings.plan.seconds);
  app.add_option("--at-least", settings.plan.at_least, "calls of each client");
  app.add_option("--warm-up", settings.plan.warm_up, "calls of each client");
  CLI11_PARSE(app, argc, argv);
  if (const absl::Status status = Run(settings); !status.ok()) {
    std::cerr << "triton-load: " << status.message() << "\n";
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace blendwire::bench

int main(int argc, char** argv) { return blendwire::bench::Main(argc, argv); }

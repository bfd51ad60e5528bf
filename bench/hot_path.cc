// SPDX-License-Identifier: Apache-2.0
//
// One request on its way through the server, from the bytes that came in to those that go out,
// without gRPC and without threads, for callgrind to count (check_instructions.py).
//   hot_path TRANSPORT-MODEL

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "mesh_file.h"
#include "model/model.h"
#include "server/core.h"
#include "server/item_preparation.h"
#include "server/translate.h"

namespace blendwire::bench {
namespace {

namespace pb = ::vrchat::blendshape::inference;

constexpr size_t kRows = 50;
constexpr size_t kColumns = 100;

std::string RequestBytes() {
  const Mesh mesh = Sheet(kRows, kColumns);
  pb::VertexOffsetRequest request;
  request.mutable_vertices()->Add(mesh.vertices.begin(), mesh.vertices.end());
  request.set_vertex_count(static_cast<int32_t>(mesh.vertex_count()));
  request.mutable_topology()->mutable_triangles()->Add(mesh.triangles.begin(),
                                                       mesh.triangles.end());
  request.mutable_condition()->set_name("aa");
  request.mutable_condition()->set_intensity(1.0f);
  request.mutable_options()->set_apply_smoothing(true);
  request.mutable_options()->set_clamp_extreme_values(true);
  return request.SerializeAsString();
}

// The same request with the name that the answer gives to its mesh.
std::string NamingBytes(const std::string& request_bytes, const std::string& answer_bytes) {
  pb::VertexOffsetRequest request;
  pb::VertexOffsetResponse answer;
  if (!request.ParseFromString(request_bytes) || !answer.ParseFromString(answer_bytes)) return {};
  request.clear_vertices();
  request.clear_topology();
  request.set_mesh_id(answer.mesh_id());
  return request.SerializeAsString();
}

absl::Status Answer(server::Core& core, const std::string& request_bytes, std::string& answer) {
  pb::VertexOffsetRequest request;
  pb::VertexOffsetResponse response;
  if (!request.ParseFromString(request_bytes)) return absl::InternalError("no request");
  server::ItemPreparation preparation(core);
  const absl::StatusOr<server::PreparedItem> item = preparation.Prepare(request);
  if (!item.ok()) return item.status();
  predict::Task task;
  task.condition = item->condition;
  task.options = item->options;
  task.output = [&response, floats = static_cast<int>(item->mesh->vertices().size())] {
    response.mutable_offsets()->Reserve(floats);
    response.mutable_offsets()->AddNAlreadyReserved(floats);
    return absl::MakeSpan(response.mutable_offsets()->mutable_data(),
                          static_cast<size_t>(floats));
  };
  absl::Status status = absl::InternalError("no outcome");
  task.done = [&](const predict::Outcome& outcome) { status = outcome.status; };
  predict::Predict(*item->model, *item->mesh, {&task, 1}, core.encodings, {});
  response.set_success(status.ok());
  response.set_mesh_id(item->mesh->id());
  if (!response.SerializeToString(&answer)) return absl::InternalError("no answer");
  return status;
}

}  // namespace

// What is counted: callgrind knows them by their names. The first request of a mesh, one more, and
// one that names the mesh.
[[gnu::noinline]] absl::Status CountedFirst(server::Core& core, const std::string& request,
                                            std::string& answer) {
  return Answer(core, request, answer);
}
[[gnu::noinline]] absl::Status CountedNext(server::Core& core, const std::string& request,
                                           std::string& answer) {
  answer.clear();  // not the same code, or the compiler makes one function of both
  return Answer(core, request, answer);
}
[[gnu::noinline]] absl::Status CountedNamed(server::Core& core, const std::string& request,
                                            std::string& answer) {
  answer.assign(1, ' ');
  return Answer(core, request, answer);
}

namespace {

absl::Status Run(const char* model_file) {
  const auto model = model::Model::Load(model_file, {.device = model::Device::kCpu, .threads = 1});
  if (!model.ok()) return model.status();
  const auto paths = model::PathPolicy::Create({});
  if (!paths.ok()) return paths.status();
  server::Core core({}, {.workers = 1}, size_t{1} << 30, {}, *paths);
  if (absl::Status status = core.models.Put("", *model); !status.ok()) return status;
  const std::string request = RequestBytes();
  std::string answer;
  if (absl::Status status = CountedFirst(core, request, answer); !status.ok()) return status;
  if (absl::Status status = CountedNext(core, request, answer); !status.ok()) return status;
  return CountedNamed(core, NamingBytes(request, answer), answer);
}

}  // namespace
}  // namespace blendwire::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: hot_path MODEL\n";
    return 2;
  }
  const absl::Status status = blendwire::bench::Run(argv[1]);
  if (status.ok()) return 0;
  std::cerr << "hot_path: " << status << "\n";
  return 1;
}

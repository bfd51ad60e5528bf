// SPDX-License-Identifier: Apache-2.0
//
// The pieces of a prediction, one by one, with Google Benchmark:
//   pieces [MESH-FILE...] [--benchmark_format=json ...]
// Without files: a sheet of 20,000 vertices.

#include <benchmark/benchmark.h>

#include <cstring>
#include <functional>
#include <iostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "client/internal/encoding.h"
#include "mesh/adjacency.h"
#include "mesh/clamp.h"
#include "mesh/normals.h"
#include "mesh/quality.h"
#include "mesh/smoothing.h"
#include "mesh/vertices.h"
#include "mesh_file.h"
#include "predict/mesh_cache.h"
#include "predict/prepared_mesh.h"
#include "vrchat/blendshape/inference/inference.pb.h"

namespace blendwire::bench {
namespace {

namespace pb = ::vrchat::blendshape::inference;
using benchmark::State;

constexpr int kIterations = 2;
constexpr int kMaxBytes = 1 << 30;

std::vector<float> Offsets(size_t floats) {
  std::mt19937 random(1);  // the same numbers everywhere, unlike the distributions of <random>
  std::vector<float> offsets(floats);
  for (float& value : offsets) {
    value = 0.02f * (static_cast<float>(random() & 0xffff) / 65536.0f - 0.5f);
  }
  return offsets;
}

size_t NeighbourCount(const mesh::Adjacency& adjacency) {
  size_t count = 0;
  for (size_t i = 0; i < adjacency.node_count(); ++i) count += adjacency.neighbours(i).size();
  return count;
}

// Copies as many bytes as the offsets have: what the memory can do at this size.
void Memcpy(State& state, const Mesh& mesh) {
  const std::vector<float> from = Offsets(mesh.vertices.size());
  std::vector<float> to(from.size());
  for (auto _ : state) {
    std::memcpy(to.data(), from.data(), from.size() * sizeof(float));
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  }
  // Read and written.
  state.SetBytesProcessed(state.iterations() *
                          static_cast<int64_t>(2 * from.size() * sizeof(float)));
}

// Bytes: what the iterations must read and write, offsets in, offsets out, lists of neighbours.
void Smoothing(State& state, const Mesh& mesh) {
  const auto adjacency = mesh::Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  std::vector<float> offsets = Offsets(mesh.vertices.size());
  mesh::SmoothingScratch scratch;
  for (auto _ : state) {
    mesh::SmoothOffsets(adjacency, kIterations, absl::MakeSpan(offsets), scratch);
    benchmark::ClobberMemory();
  }
  const size_t offset_bytes = 2 * offsets.size() * sizeof(float);
  const size_t list_bytes =
      (NeighbourCount(adjacency) + adjacency.node_count()) * sizeof(uint32_t);
  state.SetBytesProcessed(state.iterations() * kIterations *
                          static_cast<int64_t>(offset_bytes + list_bytes));
  state.counters["offset_bytes_per_second"] =
      benchmark::Counter(static_cast<double>(offset_bytes * kIterations),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void Quality(State& state, const Mesh& mesh) {
  const auto adjacency = mesh::Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  const std::vector<float> offsets = Offsets(mesh.vertices.size());
  mesh::SmoothingScratch scratch;
  for (auto _ : state) {
    benchmark::DoNotOptimize(mesh::MeasureQuality(adjacency, offsets, scratch));
  }
}

void Clamp(State& state, const Mesh& mesh) {
  std::vector<float> offsets = Offsets(mesh.vertices.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(mesh::ClampOffsets(0.08f, absl::MakeSpan(offsets)));
    benchmark::ClobberMemory();
  }
}

void AllFinite(State& state, const Mesh& mesh) {
  const std::vector<float> offsets = Offsets(mesh.vertices.size());
  for (auto _ : state) benchmark::DoNotOptimize(mesh::AllFinite(offsets));
}

void AdjacencyFromTriangles(State& state, const Mesh& mesh) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(mesh::Adjacency::FromTriangles(mesh.vertices, mesh.triangles));
  }
}

void AdjacencyFromNearest(State& state, const Mesh& mesh) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(mesh::Adjacency::FromNearestNeighbours(mesh.vertices));
  }
}

void Normals(State& state, const Mesh& mesh) {
  const auto adjacency = mesh::Adjacency::FromTriangles(mesh.vertices, mesh.triangles);
  for (auto _ : state) {
    benchmark::DoNotOptimize(mesh::VertexNormals(adjacency, mesh.vertices, mesh.triangles));
  }
}

// Validation, and finding the mesh among those that were seen before.
void KnownMesh(State& state, const Mesh& mesh) {
  predict::MeshCache cache(size_t{64} << 20);
  const auto count = static_cast<int64_t>(mesh.vertex_count());
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        predict::PreparedMesh::Create(mesh.vertices, count, mesh.triangles, cache));
  }
}

PredictRequest RequestFor(const Mesh& mesh) {
  PredictRequest request;
  request.mesh = {mesh.vertices, mesh.triangles};
  request.expression.name = "aa";
  return request;
}

pb::VertexOffsetRequest MessageFor(const Mesh& mesh) {
  pb::VertexOffsetRequest message;
  const absl::Status status = client::Encode(RequestFor(mesh), {}, kMaxBytes, message);
  if (!status.ok()) std::cerr << status << "\n";
  return message;
}

pb::VertexOffsetResponse ResponseFor(const Mesh& mesh) {
  pb::VertexOffsetResponse response;
  response.set_success(true);
  const std::vector<float> offsets = Offsets(mesh.vertices.size());
  response.mutable_offsets()->Add(offsets.begin(), offsets.end());
  return response;
}

void EncodeRequest(State& state, const Mesh& mesh) {
  const PredictRequest request = RequestFor(mesh);
  for (auto _ : state) {
    pb::VertexOffsetRequest message;
    benchmark::DoNotOptimize(client::Encode(request, {}, kMaxBytes, message));
  }
}

template <typename Message>
void Serialize(State& state, const Message& message) {
  for (auto _ : state) {
    std::string bytes;
    benchmark::DoNotOptimize(message.SerializeToString(&bytes));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(message.ByteSizeLong()));
}

template <typename Message>
void Parse(State& state, const Message& message) {
  const std::string bytes = message.SerializeAsString();
  for (auto _ : state) {
    Message parsed;
    benchmark::DoNotOptimize(parsed.ParseFromString(bytes));
  }
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes.size()));
}

void DecodeResponse(State& state, const Mesh& mesh) {
  const pb::VertexOffsetResponse response = ResponseFor(mesh);
  std::vector<float> output(mesh.vertices.size());
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        client::Decode(response, {absl::MakeSpan(output), output.size()}, {}));
  }
}

using Piece = std::function<void(State&, const Mesh&)>;

const std::vector<std::pair<std::string, Piece>>& Pieces() {
  static const auto& pieces = *new std::vector<std::pair<std::string, Piece>>{
      {"memcpy", Memcpy},
      {"smoothing", Smoothing},
      {"quality", Quality},
      {"clamp", Clamp},
      {"all_finite", AllFinite},
      {"adjacency_from_triangles", AdjacencyFromTriangles},
      {"adjacency_from_nearest", AdjacencyFromNearest},
      {"normals", Normals},
      {"known_mesh", KnownMesh},
      {"encode_request", EncodeRequest},
      {"serialize_request", [](State& s, const Mesh& m) { Serialize(s, MessageFor(m)); }},
      {"parse_request", [](State& s, const Mesh& m) { Parse(s, MessageFor(m)); }},
      {"serialize_response", [](State& s, const Mesh& m) { Serialize(s, ResponseFor(m)); }},
      {"parse_response", [](State& s, const Mesh& m) { Parse(s, ResponseFor(m)); }},
      {"decode_response", DecodeResponse},
  };
  return pieces;
}

int Main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  std::vector<Mesh> meshes;
  for (int i = 1; i < argc; ++i) {
    if (absl::StartsWith(argv[i], "-")) {
      std::cerr << "pieces: " << argv[i] << " is no option of Google Benchmark's\n";
      return 2;
    }
    absl::StatusOr<Mesh> mesh = ReadMesh(argv[i]);
    if (!mesh.ok()) {
      std::cerr << "pieces: " << mesh.status().message() << "\n";
      return 1;
    }
    meshes.push_back(*std::move(mesh));
  }
  if (meshes.empty()) meshes.push_back(Sheet(100, 200));
  for (const auto& [name, piece] : Pieces()) {
    for (const Mesh& mesh : meshes) {
      benchmark::RegisterBenchmark(
          absl::StrCat(name, "/", mesh.vertex_count()).c_str(),
          [&piece = piece, &mesh](State& state) { piece(state, mesh); })
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace blendwire::bench

int main(int argc, char** argv) { return blendwire::bench::Main(argc, argv); }

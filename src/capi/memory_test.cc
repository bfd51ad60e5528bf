// SPDX-License-Identifier: Apache-2.0
//
// What the C API allocates. This program counts every allocation of the process by standing in for
// malloc, so it has no test framework and is not built with sanitizers: it says what it found and
// exits with 1 if that is too much. Its one argument is the fake server's program. Valgrind, which
// brings its own malloc, looks for what was lost (capi_leak_test).

#include <malloc.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "capi/blendwire.h"

// The C library's own, under the names that it keeps for this purpose.
extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void __libc_free(void* memory);
}

namespace {

std::atomic<bool> counting = false;
std::atomic<size_t> allocated_bytes = 0;
std::atomic<size_t> large_allocations = 0;
constexpr size_t kLarge = 1'000'000;

void Count(size_t size) {
  if (!counting.load(std::memory_order_relaxed)) return;
  allocated_bytes += size;
  if (size >= kLarge) ++large_allocations;
}

}  // namespace

extern "C" {
void* malloc(size_t size) {
  Count(size);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  Count(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  Count(size);
  return __libc_realloc(memory, size);
}
void free(void* memory) { __libc_free(memory); }
}

namespace {

bool failed = false;

void Check(bool good, const char* what) {
  std::printf("%s: %s\n", good ? "ok" : "FAILED", what);
  if (!good) failed = true;
}

void Demand(blendwire_code code) {
  if (code == BLENDWIRE_OK) return;
  std::fprintf(stderr, "%s\n", blendwire_last_error());
  std::exit(1);
}

struct Request {
  explicit Request(size_t vertex_count) : vertices(vertex_count * 3), offsets(vertex_count * 3) {
    for (size_t i = 0; i < vertices.size(); ++i) vertices[i] = static_cast<float>(i % 1000);
    blendwire_mesh_init(&mesh, sizeof(mesh));
    mesh.vertices = vertices.data();
    mesh.vertex_count = vertex_count;
    blendwire_expression_init(&expression, sizeof(expression));
    expression.name = "aa";
    blendwire_predict_request_init(&request, sizeof(request));
    request.mesh = &mesh;
    request.expression = &expression;
    request.offsets = offsets.data();
    request.offset_vertex_count = vertex_count;
  }

  std::vector<float> vertices;
  std::vector<float> offsets;
  blendwire_mesh mesh;
  blendwire_expression expression;
  blendwire_predict_request request;
};

// The message that is sent holds the one copy of the vertices, the one that arrives the one from
// which the offsets go into the caller's buffer; gRPC has each once more as bytes on the wire.
void CheckCopies(blendwire_client* client) {
  constexpr size_t kVertices = 100'000;
  constexpr size_t kBytes = kVertices * 3 * sizeof(float);
  Request request(kVertices);
  for (int i = 0; i < 3; ++i) blendwire_predict(client, &request.request, nullptr, nullptr);
  std::memset(request.offsets.data(), 0, kBytes);
  counting = true;
  const blendwire_code code = blendwire_predict(client, &request.request, nullptr, nullptr);
  counting = false;
  Check(code == BLENDWIRE_OK && request.offsets == request.vertices, "100,000 vertices predicted");
  std::printf(
      "  %zu allocations of a megabyte or more, %zu bytes in all, for %zu bytes of floats\n",
      large_allocations.load(), allocated_bytes.load(), kBytes);
  Check(large_allocations <= 3, "floats are held once on the way in and once on the way out");
  Check(allocated_bytes < 5 * kBytes, "no further copies");
}

void CheckLeaks(blendwire_client* client) {
  // Ten bytes for each submit: gRPC's own bookkeeping breathes a little.
  constexpr size_t kAllowed = 100'000;
  Request request(100);
  const auto submit_many = [&](int count) {
    for (int i = 0; i < count; ++i) {
      blendwire_job* job = nullptr;
      Demand(blendwire_submit_predict(client, &request.request, nullptr, &job));
      if (i % 3 == 0) blendwire_job_cancel(job);
      if (i % 3 == 1) blendwire_job_wait(job, -1);
      blendwire_job_free(job);
    }
  };
  submit_many(2000);  // until every cache has its size
  const size_t before = mallinfo2().uordblks;
  submit_many(10'000);
  // Calls that were given up are still ending, which takes a busy machine a while. What is lost stays.
  size_t after = mallinfo2().uordblks;
  for (int i = 0; i < 100 && after >= before + kAllowed; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    after = mallinfo2().uordblks;
  }
  std::printf("  %zu bytes in use before 10,000 submits, %zu after\n", before, after);
  Check(after < before + kAllowed, "10,000 submits leak nothing");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  blendwire_server_options options;
  blendwire_server_options_init(&options, sizeof(options));
  options.program = argv[1];
  blendwire_server* server = nullptr;
  Demand(blendwire_server_start(&options, &server));
  blendwire_client* client = nullptr;
  Demand(blendwire_client_create_for_server(server, nullptr, &client));
  CheckCopies(client);
  CheckLeaks(client);
  blendwire_client_free(client);
  blendwire_server_free(server);
  return failed ? 1 : 0;
}

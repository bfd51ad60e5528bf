// SPDX-License-Identifier: Apache-2.0
//
// The C API through the shared library, as another program sees it, against a server of its own:
// src/client/testing/fake_server_main.cc, whose offsets are coordinate * intensity.

#ifndef BLENDWIRE_CAPI_TESTING_LIBRARY_H_
#define BLENDWIRE_CAPI_TESTING_LIBRARY_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "capi/blendwire.h"
#include "gtest/gtest.h"
#include "system/executable_path.h"

namespace blendwire::capi_test {

inline std::string TestProgram(const char* name) {
  return (blendwire::system::ExecutablePath().value().parent_path() /
          blendwire::system::ProgramFileName(name))
      .string();
}

struct Free {
  void operator()(blendwire_client* client) const { blendwire_client_free(client); }
  void operator()(blendwire_server* server) const { blendwire_server_free(server); }
  void operator()(blendwire_job* job) const { blendwire_job_free(job); }
};
using ClientPointer = std::unique_ptr<blendwire_client, Free>;
using ServerPointer = std::unique_ptr<blendwire_server, Free>;
using JobPointer = std::unique_ptr<blendwire_job, Free>;

inline blendwire_server_options ServerOptions(const std::string& program) {
  blendwire_server_options options;
  blendwire_server_options_init(&options, sizeof(options));
  options.program = program.c_str();
  return options;
}

inline std::string Address(const blendwire_server* server) {
  std::string text(blendwire_server_address(server, nullptr, 0) + 1, '\0');
  text.resize(blendwire_server_address(server, text.data(), text.size()));
  return text;
}

// One server for all tests that leave it alone.
inline blendwire_server* SharedServer() {
  static blendwire_server* const server = [] {
    const std::string program = TestProgram("fake_server");
    const blendwire_server_options options = ServerOptions(program);
    blendwire_server* started = nullptr;
    EXPECT_EQ(blendwire_server_start(&options, &started), BLENDWIRE_OK) << blendwire_last_error();
    return started;
  }();
  return server;
}

inline ClientPointer Connect(blendwire_server* server = SharedServer()) {
  blendwire_client* client = nullptr;
  EXPECT_EQ(blendwire_client_create_for_server(server, nullptr, &client), BLENDWIRE_OK)
      << blendwire_last_error();
  return ClientPointer(client);
}

// A request with all that it points to.
struct Request {
  explicit Request(const char* name = "aa", size_t vertex_count = 4) {
    for (size_t i = 0; i < vertex_count * 3; ++i) vertices.push_back(static_cast<float>(i) + 1);
    offsets.resize(vertices.size(), -1);
    blendwire_mesh_init(&mesh, sizeof(mesh));
    mesh.vertices = vertices.data();
    mesh.vertex_count = vertex_count;
    blendwire_expression_init(&expression, sizeof(expression));
    expression.name = name;
    expression.intensity = 0.5f;
    blendwire_predict_request_init(&request, sizeof(request));
    request.mesh = &mesh;
    request.expression = &expression;
    request.offsets = offsets.data();
    request.offset_vertex_count = vertex_count;
  }
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;

  std::vector<float> Expected() const {
    std::vector<float> expected;
    for (const float value : vertices) expected.push_back(value * expression.intensity);
    return expected;
  }

  std::vector<float> vertices;
  std::vector<float> offsets;
  blendwire_mesh mesh;
  blendwire_expression expression;
  blendwire_predict_request request;
};

// A batch over one mesh.
struct Batch {
  explicit Batch(const std::vector<std::string>& expression_names, size_t vertex_count = 2)
      : names(expression_names), first("", vertex_count) {
    offsets.resize(names.size(), std::vector<float>(vertex_count * 3, -1));
    expressions.resize(names.size());
    items.resize(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      blendwire_expression_init(&expressions[i], sizeof(expressions[i]));
      expressions[i].name = names[i].c_str();
      expressions[i].intensity = 1.0f / static_cast<float>(i + 1);
      blendwire_predict_request_init(&items[i], sizeof(items[i]));
      items[i].expression = &expressions[i];
      items[i].offsets = offsets[i].data();
      items[i].offset_vertex_count = vertex_count;
    }
    blendwire_batch_request_init(&request, sizeof(request));
    request.mesh = &first.mesh;
    request.items = items.data();
    request.item_count = items.size();
  }

  std::vector<float> Expected(size_t index) const {
    std::vector<float> expected;
    for (const float value : first.vertices) {
      expected.push_back(value * expressions[index].intensity);
    }
    return expected;
  }

  std::vector<std::string> names;
  Request first;
  std::vector<std::vector<float>> offsets;
  std::vector<blendwire_expression> expressions;
  std::vector<blendwire_predict_request> items;
  blendwire_batch_request request;
};

inline blendwire_prediction_info Info() {
  blendwire_prediction_info info = {};
  info.struct_size = sizeof(info);
  return info;
}

inline JobPointer SubmitPredict(blendwire_client* client, const Request& request) {
  blendwire_job* job = nullptr;
  EXPECT_EQ(blendwire_submit_predict(client, &request.request, nullptr, &job), BLENDWIRE_OK)
      << blendwire_last_error();
  return JobPointer(job);
}

}  // namespace blendwire::capi_test

#endif  // BLENDWIRE_CAPI_TESTING_LIBRARY_H_

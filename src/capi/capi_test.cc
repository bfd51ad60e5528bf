// SPDX-License-Identifier: Apache-2.0
//
// The C API through the shared library, as another program sees it, against a server of its own:
// src/client/testing/fake_server_main.cc, whose offsets are coordinate * intensity.

#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "capi/blendwire.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "system/executable_path.h"

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string TestProgram(const char* name) {
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

blendwire_server_options ServerOptions(const std::string& program) {
  blendwire_server_options options;
  blendwire_server_options_init(&options, sizeof(options));
  options.program = program.c_str();
  return options;
}

std::string Address(const blendwire_server* server) {
  std::string text(blendwire_server_address(server, nullptr, 0) + 1, '\0');
  text.resize(blendwire_server_address(server, text.data(), text.size()));
  return text;
}

// One server for all tests that leave it alone.
blendwire_server* SharedServer() {
  static blendwire_server* const server = [] {
    const std::string program = TestProgram("fake_server");
    const blendwire_server_options options = ServerOptions(program);
    blendwire_server* started = nullptr;
    EXPECT_EQ(blendwire_server_start(&options, &started), BLENDWIRE_OK) << blendwire_last_error();
    return started;
  }();
  return server;
}

ClientPointer Connect(blendwire_server* server = SharedServer()) {
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

blendwire_prediction_info Info() {
  blendwire_prediction_info info = {};
  info.struct_size = sizeof(info);
  return info;
}

JobPointer SubmitPredict(blendwire_client* client, const Request& request) {
  blendwire_job* job = nullptr;
  EXPECT_EQ(blendwire_submit_predict(client, &request.request, nullptr, &job), BLENDWIRE_OK)
      << blendwire_last_error();
  return JobPointer(job);
}

TEST(VersionTest, LibraryAndHeaderAgree) {
  EXPECT_EQ(blendwire_abi_version(), static_cast<uint32_t>(BLENDWIRE_ABI_VERSION));
  EXPECT_STREQ(blendwire_version(), BLENDWIRE_TEST_VERSION);
}

TEST(ErrorTest, CodesHaveTheirCanonicalNames) {
  EXPECT_STREQ(blendwire_code_name(BLENDWIRE_OK), "OK");
  EXPECT_STREQ(blendwire_code_name(BLENDWIRE_RESOURCE_EXHAUSTED), "RESOURCE_EXHAUSTED");
  EXPECT_STREQ(blendwire_code_name(BLENDWIRE_UNAUTHENTICATED), "UNAUTHENTICATED");
  EXPECT_STREQ(blendwire_code_name(BLENDWIRE_PENDING), "PENDING");
  EXPECT_STREQ(blendwire_code_name(99), "UNKNOWN");
}

TEST(ErrorTest, TheLastOneBelongsToItsThread) {
  EXPECT_EQ(blendwire_client_create(nullptr, nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "client is NULL, but must not be");
  std::thread([] { EXPECT_STREQ(blendwire_last_error(), ""); }).join();
  EXPECT_STREQ(blendwire_last_error(), "client is NULL, but must not be");
}

TEST(StructTest, DefaultsAreThoseOfTheHeader) {
  blendwire_client_options client;
  blendwire_client_options_init(&client, sizeof(client));
  EXPECT_STREQ(client.address, "127.0.0.1:50051");
  EXPECT_STREQ(client.token, "");
  EXPECT_EQ(client.timeout_ms, 30000);
  EXPECT_EQ(client.channels, 3);
  EXPECT_EQ(client.max_message_bytes, 104857600);
  EXPECT_EQ(client.retry_max_attempts, 6);
  EXPECT_EQ(client.keepalive_without_calls, 1);
  EXPECT_EQ(client.retry_max_total_ms, 10000);
  EXPECT_EQ(client.retry_initial_backoff_ms, 100);
  EXPECT_EQ(client.retry_max_backoff_ms, 2000);
  EXPECT_EQ(client.retry_multiplier, 2.0);
  EXPECT_EQ(client.retry_jitter, 0.5);
  EXPECT_EQ(client.keepalive_time_ms, 30000);
  EXPECT_EQ(client.keepalive_timeout_ms, 5000);
  blendwire_prediction_options prediction;
  blendwire_prediction_options_init(&prediction, sizeof(prediction));
  EXPECT_EQ(prediction.apply_smoothing, 1);
  EXPECT_EQ(prediction.smoothing_iterations, 2);
  EXPECT_EQ(prediction.max_displacement, 0.08f);
  EXPECT_EQ(prediction.clamp_extreme_values, 1);
  EXPECT_EQ(prediction.timeout_seconds, 30);
  blendwire_server_options server;
  blendwire_server_options_init(&server, sizeof(server));
  EXPECT_EQ(server.start_timeout_ms, 60000);
  EXPECT_EQ(server.max_crashes, 3);
  EXPECT_EQ(server.crash_window_ms, 60000);
}

TEST(StructTest, AnOlderProgramsSmallerStructIsNotOverrun) {
  struct {
    blendwire_prediction_options options;
    char guard[16];
  } memory;
  std::memset(&memory, 0x55, sizeof(memory));
  const size_t old_size = offsetof(blendwire_prediction_options, max_displacement);
  blendwire_prediction_options_init(&memory.options, old_size);
  EXPECT_EQ(memory.options.struct_size, old_size);
  EXPECT_EQ(memory.options.smoothing_iterations, 2);
  const auto* bytes = reinterpret_cast<const unsigned char*>(&memory);
  for (size_t i = old_size; i < sizeof(memory); ++i) ASSERT_EQ(bytes[i], 0x55) << i;

  // And what it does not know keeps its default.
  const ClientPointer client = Connect();
  Request request;
  request.request.options = &memory.options;
  request.request.model = "echo";
  blendwire_prediction_info info = Info();
  ASSERT_EQ(blendwire_predict(client.get(), &request.request, nullptr, &info), BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_THAT(info.model_version, HasSubstr("options 1 2 0.08 1 30"));
}

TEST(StructTest, AResultIsCutToTheProgramsSize) {
  const ClientPointer client = Connect();
  struct {
    blendwire_health_info health;
    char guard[16];
  } memory;
  std::memset(&memory, 0x55, sizeof(memory));
  memory.health.struct_size = offsetof(blendwire_health_info, version);
  ASSERT_EQ(blendwire_health(client.get(), nullptr, &memory.health), BLENDWIRE_OK);
  EXPECT_STREQ(memory.health.message, "ready");
  EXPECT_EQ(memory.health.struct_size, offsetof(blendwire_health_info, version));
  const auto* bytes = reinterpret_cast<const unsigned char*>(&memory);
  for (size_t i = offsetof(blendwire_health_info, version); i < sizeof(memory); ++i) {
    ASSERT_EQ(bytes[i], 0x55) << i;
  }
}

TEST(StructTest, AStructWithoutItsSizeIsRefused) {
  const ClientPointer client = Connect();
  blendwire_predict_request request = {};
  EXPECT_EQ(blendwire_predict(client.get(), &request, nullptr, nullptr),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("request.struct_size is 0"));
  blendwire_health_info health = {};
  EXPECT_EQ(blendwire_health(client.get(), nullptr, &health), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("health.struct_size is 0"));
}

TEST(ClientTest, OptionsAreChecked) {
  blendwire_client_options options;
  blendwire_client_options_init(&options, sizeof(options));
  options.address = "10.0.0.1:50051";
  blendwire_client* client = nullptr;
  EXPECT_EQ(blendwire_client_create(&options, &client), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("10.0.0.1 is not a loopback address"));
  EXPECT_EQ(client, nullptr);
  blendwire_client_options_init(&options, sizeof(options));
  options.channels = 0;
  EXPECT_EQ(blendwire_client_create(&options, &client), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("channels is 0"));
}

TEST(ClientTest, Health) {
  const ClientPointer client = Connect();
  blendwire_health_info health = {};
  health.struct_size = sizeof(health);
  ASSERT_EQ(blendwire_health(client.get(), nullptr, &health), BLENDWIRE_OK);
  EXPECT_EQ(health.status, BLENDWIRE_SERVING);
  EXPECT_STREQ(health.message, "ready");
  EXPECT_STREQ(health.version, "0.1.0");
  EXPECT_STREQ(health.model_version, "1.2");
  EXPECT_STREQ(health.device_info, "CPU: fake");
  EXPECT_EQ(health.gpu_available, 1);
  EXPECT_EQ(health.max_concurrent_requests, 4);
  EXPECT_EQ(blendwire_health(client.get(), nullptr, nullptr), BLENDWIRE_OK);
}

TEST(ClientTest, TheTokenIsDemanded) {
  const std::string address = Address(SharedServer());
  blendwire_client_options options;
  blendwire_client_options_init(&options, sizeof(options));
  options.address = address.c_str();
  options.token = "wrong";
  blendwire_client* client = nullptr;
  ASSERT_EQ(blendwire_client_create(&options, &client), BLENDWIRE_OK);
  const ClientPointer owner(client);
  EXPECT_EQ(blendwire_health(client, nullptr, nullptr), BLENDWIRE_UNAUTHENTICATED);
  EXPECT_STREQ(blendwire_last_error(), "the token is missing or wrong");
}

TEST(PredictTest, FillsTheCallersBuffer) {
  const ClientPointer client = Connect();
  Request request;
  const std::array<uint32_t, 6> triangles = {0, 1, 2, 1, 2, 3};
  request.mesh.triangles = triangles.data();
  request.mesh.triangle_count = 2;
  blendwire_prediction_info info = Info();
  ASSERT_EQ(blendwire_predict(client.get(), &request.request, nullptr, &info), BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_EQ(request.offsets, request.Expected());
  EXPECT_EQ(info.code, BLENDWIRE_OK);
  EXPECT_EQ(info.inference_time_ms, 1.5f);
  EXPECT_EQ(info.preprocessing_time_ms, 2.5f);
  EXPECT_EQ(info.postprocessing_time_ms, 3.5f);
  EXPECT_EQ(info.queue_time_ms, 4.5f);
  EXPECT_EQ(info.vertices_processed, 4);
  EXPECT_EQ(info.mean_displacement, 0.01f);
  EXPECT_EQ(info.max_displacement, 0.02f);
  EXPECT_EQ(info.extreme_vertices, 3);
  EXPECT_EQ(info.smoothness, 0.75f);
  EXPECT_STREQ(info.model_name, "default");
  EXPECT_STREQ(info.model_version, "1.2");
  EXPECT_STREQ(info.execution_provider, "FakeProvider");
}

TEST(PredictTest, SendsEverything) {
  const ClientPointer client = Connect();
  Request request("x");
  const std::array<uint32_t, 3> triangle = {0, 1, 2};
  request.mesh.triangles = triangle.data();
  request.mesh.triangle_count = 1;
  const std::array<float, 2> features = {0.25f, 0.5f};
  const std::array<const char*, 1> names = {"jawOpen"};
  const std::array<float, 1> weights = {0.25f};
  request.expression.kind = BLENDWIRE_CUSTOM;
  request.expression.features = features.data();
  request.expression.feature_count = features.size();
  request.expression.parameter_names = names.data();
  request.expression.parameter_weights = weights.data();
  request.expression.parameter_count = 1;
  blendwire_prediction_options options;
  blendwire_prediction_options_init(&options, sizeof(options));
  options.apply_smoothing = 0;
  options.smoothing_iterations = 5;
  options.max_displacement = 0.5f;
  options.clamp_extreme_values = 0;
  options.timeout_seconds = 7;
  request.request.options = &options;
  request.request.model = "echo";
  blendwire_prediction_info info = Info();
  ASSERT_EQ(blendwire_predict(client.get(), &request.request, nullptr, &info), BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_STREQ(info.model_version,
               "type 2 name x features 2 parameters jawOpen=0.25, triangles 3 options 0 5 0.5 0 7");
}

TEST(PredictTest, StridesAreHonouredBothWays) {
  const ClientPointer client = Connect();
  // Position and colour in one array; offsets with a hole after each.
  const std::vector<float> interleaved = {1, 2, 3, 90, 91, 4, 5, 6, 92, 93, 7, 8, 9};
  std::vector<float> offsets(11, -1);
  Request request("aa", 3);
  request.mesh.vertices = interleaved.data();
  request.mesh.vertex_stride = 5 * sizeof(float);
  request.request.offsets = offsets.data();
  request.request.offset_stride = 4 * sizeof(float);
  ASSERT_EQ(blendwire_predict(client.get(), &request.request, nullptr, nullptr), BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_THAT(offsets, ElementsAre(0.5f, 1, 1.5f, -1, 2, 2.5f, 3, -1, 3.5f, 4, 4.5f));
}

TEST(PredictTest, WhatCannotBeRightIsNamed) {
  const ClientPointer client = Connect();
  const auto error = [&](auto change) {
    Request request;
    change(request);
    const std::vector<float> before = request.offsets;
    EXPECT_EQ(blendwire_predict(client.get(), &request.request, nullptr, nullptr),
              BLENDWIRE_INVALID_ARGUMENT);
    EXPECT_EQ(request.offsets, before);
    return std::string(blendwire_last_error());
  };
  EXPECT_EQ(error([](Request& r) { r.request.mesh = nullptr; }),
            "request.mesh is NULL, but must not be");
  EXPECT_EQ(error([](Request& r) { r.mesh.vertices = nullptr; }),
            "request.mesh.vertices is NULL, but must have 4 elements");
  EXPECT_EQ(error([](Request& r) { r.mesh.vertex_count = size_t{1} << 40; }),
            "request.mesh.vertex_count is 1099511627776, but must be 715827882 at the most");
  EXPECT_THAT(error([](Request& r) { r.mesh.vertex_stride = 8; }),
              HasSubstr("request.mesh.vertex_stride is 8, but must be 0 or a multiple of 4"));
  EXPECT_EQ(error([](Request& r) { r.request.offset_vertex_count = 3; }),
            "request.offset_vertex_count is 3, but the mesh has 4 vertices");
  EXPECT_EQ(error([](Request& r) { r.request.offsets = nullptr; }),
            "request.offsets is NULL, but must have 4 elements");
  EXPECT_THAT(error([](Request& r) { r.request.offset_stride = 13; }),
              HasSubstr("request.offset_stride is 13"));
  EXPECT_THAT(error([](Request& r) { r.expression.kind = 7; }),
              HasSubstr("request.expression.kind is 7"));
  EXPECT_THAT(error([](Request& r) { r.expression.parameter_count = 2; }),
              HasSubstr("request.expression.parameter_names is NULL"));
}

TEST(PredictTest, TheServersErrorIsHandedOn) {
  const ClientPointer client = Connect();
  Request request("bad");
  EXPECT_EQ(blendwire_predict(client.get(), &request.request, nullptr, nullptr),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "condition.name is \"bad\"");
}

TEST(PredictTest, ACallsOwnDeadlineIsKept) {
  const ClientPointer client = Connect();
  Request request("slow:20000");
  blendwire_call_options call;
  blendwire_call_options_init(&call, sizeof(call));
  call.timeout_ms = 100;
  EXPECT_EQ(blendwire_predict(client.get(), &request.request, &call, nullptr),
            BLENDWIRE_DEADLINE_EXCEEDED);
  call.timeout_ms = -1;
  EXPECT_EQ(blendwire_predict(client.get(), &request.request, &call, nullptr),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("call.timeout_ms is -1"));
  call.timeout_ms = 0;
  call.max_attempts = -2;
  EXPECT_EQ(blendwire_predict(client.get(), &request.request, &call, nullptr),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "max_attempts is -2, but must be at least 1");
}

TEST(BatchTest, EachItemHasItsOffsetsAndItsCode) {
  const ClientPointer client = Connect();
  Batch batch({"aa", "bad", "E"});
  std::vector<blendwire_prediction_info> infos(3, Info());
  ASSERT_EQ(blendwire_predict_batch(client.get(), &batch.request, nullptr, nullptr, nullptr,
                                    infos.data()),
            BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_EQ(batch.offsets[0], batch.Expected(0));
  EXPECT_EQ(batch.offsets[1], std::vector<float>(6, -1));
  EXPECT_EQ(batch.offsets[2], batch.Expected(2));
  EXPECT_EQ(infos[0].code, BLENDWIRE_OK);
  EXPECT_EQ(infos[1].code, BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(infos[2].code, BLENDWIRE_OK);
  EXPECT_STREQ(infos[2].model_version, "1.2");
}

TEST(BatchTest, AnItemMayHaveItsOwnMeshAndStride) {
  const ClientPointer client = Connect();
  Batch batch({"aa", "E"});
  Request own("", 3);
  std::vector<float> offsets(4 * 3, -1);
  batch.items[1].mesh = &own.mesh;
  batch.items[1].offsets = offsets.data();
  batch.items[1].offset_vertex_count = 3;
  batch.items[1].offset_stride = 16;
  ASSERT_EQ(
      blendwire_predict_batch(client.get(), &batch.request, nullptr, nullptr, nullptr, nullptr),
      BLENDWIRE_OK)
      << blendwire_last_error();
  EXPECT_EQ(batch.offsets[0], batch.Expected(0));
  EXPECT_THAT(offsets, ElementsAre(0.5f, 1, 1.5f, -1, 2, 2.5f, 3, -1, 3.5f, 4, 4.5f, -1));
}

struct Progress {
  std::vector<size_t> indices;
  std::vector<size_t> completed;
  size_t total = 0;
  std::thread::id thread;
  size_t stop_after = 1000;

  static int32_t Call(void* user, size_t index, size_t completed, size_t total) {
    auto& self = *static_cast<Progress*>(user);
    self.indices.push_back(index);
    self.completed.push_back(completed);
    self.total = total;
    self.thread = std::this_thread::get_id();
    return completed >= self.stop_after ? 1 : 0;
  }
};

TEST(BatchTest, ProgressIsToldOnTheCallersThread) {
  const ClientPointer client = Connect();
  Batch batch({"aa", "E", "oh", "ou"});
  Progress progress;
  ASSERT_EQ(blendwire_predict_batch(client.get(), &batch.request, nullptr, &Progress::Call,
                                    &progress, nullptr),
            BLENDWIRE_OK);
  EXPECT_THAT(progress.indices, ElementsAre(3, 2, 1, 0)) << "the order of the fake server";
  EXPECT_THAT(progress.completed, ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(progress.total, 4u);
  EXPECT_EQ(progress.thread, std::this_thread::get_id());
}

TEST(BatchTest, ProgressCanStopIt) {
  const ClientPointer client = Connect();
  Batch batch({"slow:20000", "aa", "aa"});
  Progress progress;
  progress.stop_after = 2;
  std::vector<blendwire_prediction_info> infos(3, Info());
  EXPECT_EQ(blendwire_predict_batch(client.get(), &batch.request, nullptr, &Progress::Call,
                                    &progress, infos.data()),
            BLENDWIRE_CANCELLED);
  EXPECT_EQ(infos[0].code, BLENDWIRE_CANCELLED);
  EXPECT_EQ(infos[1].code, BLENDWIRE_OK);
  EXPECT_EQ(batch.offsets[1], batch.Expected(1));
  EXPECT_EQ(batch.offsets[2], batch.Expected(2));
}

TEST(BatchTest, AnItemThatCannotBeRightIsNamed) {
  const ClientPointer client = Connect();
  Batch batch({"aa", "E"});
  batch.items[1].offset_vertex_count = 9;
  EXPECT_EQ(
      blendwire_predict_batch(client.get(), &batch.request, nullptr, nullptr, nullptr, nullptr),
      BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(),
               "items[1].offset_vertex_count is 9, but the mesh has 2 vertices");
}

TEST(JobTest, RunsInTheBackground) {
  const ClientPointer client = Connect();
  Request request("slow:200");
  const JobPointer job = SubmitPredict(client.get(), request);
  EXPECT_EQ(blendwire_job_poll(job.get()), BLENDWIRE_PENDING);
  EXPECT_EQ(blendwire_job_wait(job.get(), 1), BLENDWIRE_PENDING);
  blendwire_prediction_info info = Info();
  EXPECT_EQ(blendwire_job_prediction(job.get(), &info), BLENDWIRE_FAILED_PRECONDITION);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("still running"));
  EXPECT_EQ(blendwire_job_wait(job.get(), -1), BLENDWIRE_OK);
  EXPECT_EQ(blendwire_job_poll(job.get()), BLENDWIRE_OK);
  EXPECT_EQ(request.offsets, request.Expected());
  EXPECT_EQ(blendwire_job_prediction(job.get(), &info), BLENDWIRE_OK);
  EXPECT_EQ(info.vertices_processed, 4);
  EXPECT_STREQ(blendwire_job_message(job.get()), "");
  EXPECT_EQ(blendwire_job_health(job.get(), nullptr), BLENDWIRE_FAILED_PRECONDITION);
  EXPECT_STREQ(blendwire_last_error(), "the job is not a health check");
}

TEST(JobTest, InputMayGoAsSoonAsItIsSubmitted) {
  const ClientPointer client = Connect();
  std::vector<float> offsets(12);
  JobPointer job;
  std::vector<float> expected;
  {
    Request request("slow:50");
    request.request.offsets = offsets.data();
    expected = request.Expected();
    job = SubmitPredict(client.get(), request);
    request.vertices.assign(12, 99);
  }
  EXPECT_EQ(blendwire_job_wait(job.get(), -1), BLENDWIRE_OK);
  EXPECT_EQ(offsets, expected);
}

TEST(JobTest, IsCancelled) {
  const ClientPointer client = Connect();
  Request request("slow:20000");
  const JobPointer job = SubmitPredict(client.get(), request);
  blendwire_job_cancel(job.get());
  EXPECT_EQ(blendwire_job_wait(job.get(), 5000), BLENDWIRE_CANCELLED);
  EXPECT_STRNE(blendwire_job_message(job.get()), "");
  EXPECT_EQ(blendwire_job_prediction(job.get(), nullptr), BLENDWIRE_CANCELLED);
}

TEST(JobTest, FreeingARunningOneEndsIt) {
  const ClientPointer client = Connect();
  Request request("slow:20000");
  const auto before = std::chrono::steady_clock::now();
  SubmitPredict(client.get(), request).reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
  EXPECT_EQ(request.offsets, std::vector<float>(12, -1));
}

TEST(JobTest, OutlivesItsClient) {
  ClientPointer client = Connect();
  Request request("slow:20000");
  const JobPointer job = SubmitPredict(client.get(), request);
  client.reset();
  EXPECT_EQ(blendwire_job_poll(job.get()), BLENDWIRE_CANCELLED);
}

TEST(JobTest, ABatchIsTakenItemByItem) {
  const ClientPointer client = Connect();
  Batch batch({"slow:300", "bad", "aa"});
  blendwire_job* raw = nullptr;
  ASSERT_EQ(blendwire_submit_batch(client.get(), &batch.request, nullptr, &raw), BLENDWIRE_OK);
  const JobPointer job(raw);
  std::vector<size_t> taken;
  size_t index = 99;
  while (blendwire_job_poll(job.get()) == BLENDWIRE_PENDING) {
    while (blendwire_job_next_item(job.get(), &index) == 1) {
      taken.push_back(index);
      if (index == 2) {
        EXPECT_EQ(batch.offsets[2], batch.Expected(2));
        EXPECT_EQ(blendwire_job_item(job.get(), 0, nullptr), BLENDWIRE_PENDING);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  while (blendwire_job_next_item(job.get(), &index) == 1) taken.push_back(index);
  EXPECT_THAT(taken, ElementsAre(2, 1, 0));
  EXPECT_EQ(blendwire_job_poll(job.get()), BLENDWIRE_OK);
  size_t completed = 0;
  size_t total = 0;
  blendwire_job_progress(job.get(), &completed, &total);
  EXPECT_EQ(completed, 3u);
  EXPECT_EQ(total, 3u);
  blendwire_prediction_info info = Info();
  EXPECT_EQ(blendwire_job_item(job.get(), 0, &info), BLENDWIRE_OK);
  EXPECT_EQ(info.vertices_processed, 2);
  EXPECT_EQ(blendwire_job_item(job.get(), 1, &info), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "condition.name is \"bad\"");
  EXPECT_EQ(info.code, BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_job_item(job.get(), 3, &info), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "index is 3, but the job has 3 items");
}

struct Done {
  std::atomic<bool> called = false;
  std::atomic<bool> other_thread = false;
  std::atomic<blendwire_code> waiting_call = BLENDWIRE_OK;
  blendwire_client* client = nullptr;
  const std::thread::id host = std::this_thread::get_id();

  static void FreeIt(void* user, blendwire_job* job) {
    auto& self = *static_cast<Done*>(user);
    self.other_thread = std::this_thread::get_id() != self.host;
    if (self.client != nullptr) self.waiting_call = blendwire_health(self.client, nullptr, nullptr);
    EXPECT_EQ(blendwire_job_poll(job), BLENDWIRE_OK);
    blendwire_job_free(job);
    self.called = true;
  }
};

TEST(JobTest, TellsWhenItIsDoneIfAsked) {
  const ClientPointer client = Connect();
  Request request("slow:100");
  blendwire_job* const job = SubmitPredict(client.get(), request).release();
  Done done;
  done.client = client.get();
  ASSERT_EQ(blendwire_job_on_done(job, &Done::FreeIt, &done), BLENDWIRE_OK);
  EXPECT_EQ(blendwire_job_on_done(job, &Done::FreeIt, &done), BLENDWIRE_FAILED_PRECONDITION);
  while (!done.called) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(done.other_thread);
  EXPECT_EQ(done.waiting_call, BLENDWIRE_FAILED_PRECONDITION);
  EXPECT_EQ(request.offsets, request.Expected());
}

TEST(JobTest, TellsAtOnceIfItIsDoneAlready) {
  const ClientPointer client = Connect();
  Request request;
  blendwire_job* const job = SubmitPredict(client.get(), request).release();
  ASSERT_EQ(blendwire_job_wait(job, -1), BLENDWIRE_OK);
  Done done;
  ASSERT_EQ(blendwire_job_on_done(job, &Done::FreeIt, &done), BLENDWIRE_OK);
  EXPECT_TRUE(done.called);
  EXPECT_FALSE(done.other_thread);
}

TEST(StatsTest, AllOfThem) {
  const ClientPointer client = Connect();
  blendwire_job* raw = nullptr;
  ASSERT_EQ(blendwire_submit_stats(client.get(), 0, nullptr, &raw), BLENDWIRE_OK);
  const JobPointer job(raw);
  ASSERT_EQ(blendwire_job_wait(job.get(), -1), BLENDWIRE_OK);
  blendwire_stats stats = {};
  stats.struct_size = sizeof(stats);
  ASSERT_EQ(blendwire_job_stats(job.get(), &stats), BLENDWIRE_OK);
  EXPECT_EQ(stats.total_requests, 100);
  EXPECT_EQ(stats.successful_requests, 90);
  EXPECT_EQ(stats.failed_requests, 10);
  EXPECT_EQ(stats.rejected_requests, 1);
  EXPECT_EQ(stats.cancelled_requests, 2);
  EXPECT_EQ(stats.deadline_exceeded_requests, 3);
  EXPECT_EQ(stats.in_flight_requests, 4);
  EXPECT_EQ(stats.queued_requests, 5);
  EXPECT_EQ(stats.avg_inference_time_ms, 1.0f);
  EXPECT_EQ(stats.max_inference_time_ms, 2.0f);
  EXPECT_EQ(stats.min_inference_time_ms, 0.5f);
  EXPECT_EQ(stats.uptime_seconds, 12.0f);
  EXPECT_EQ(stats.total_time.p50_ms, 10.2f);
  EXPECT_EQ(stats.queue_time.count, 20);
  EXPECT_EQ(stats.preprocessing_time.mean_ms, 30.1f);
  EXPECT_EQ(stats.inference_time.p95_ms, 40.3f);
  EXPECT_EQ(stats.postprocessing_time.max_ms, 50.5f);
  EXPECT_EQ(stats.cpu_usage_percent, 150.0f);
  EXPECT_EQ(stats.memory_usage_mb, 64.0f);
  EXPECT_EQ(stats.gpu_memory_usage_mb, 32.0f);
  EXPECT_EQ(stats.gpu_utilization_percent, 16.0f);
  ASSERT_EQ(stats.model_count, 1u);
  blendwire_model_stats model = {};
  model.struct_size = sizeof(model);
  ASSERT_EQ(blendwire_job_model_stats(job.get(), 0, &model), BLENDWIRE_OK);
  EXPECT_STREQ(model.model_name, "default");
  EXPECT_EQ(model.successful_requests, 80);
  EXPECT_EQ(model.failed_requests, 8);
  EXPECT_EQ(model.inference_time.p99_ms, 60.4f);
  EXPECT_EQ(blendwire_job_model_stats(job.get(), 1, &model), BLENDWIRE_INVALID_ARGUMENT);

  ASSERT_EQ(blendwire_get_stats(client.get(), 1, nullptr, &stats), BLENDWIRE_OK);
  EXPECT_EQ(stats.total_requests, 1000) << "the fake server's sign that it was told to reset";
}

TEST(ModelsTest, AreListed) {
  const ClientPointer client = Connect();
  blendwire_job* raw = nullptr;
  ASSERT_EQ(blendwire_list_models(client.get(), nullptr, &raw), BLENDWIRE_OK);
  const JobPointer job(raw);
  size_t count = 0;
  ASSERT_EQ(blendwire_job_model_count(job.get(), &count), BLENDWIRE_OK);
  ASSERT_EQ(count, 2u);
  blendwire_model_info info = {};
  info.struct_size = sizeof(info);
  ASSERT_EQ(blendwire_job_model(job.get(), 0, &info), BLENDWIRE_OK);
  EXPECT_STREQ(info.name, "default");
  EXPECT_STREQ(info.version, "1.2");
  EXPECT_STREQ(info.title, "A face");
  EXPECT_STREQ(info.execution_provider, "FakeProvider");
  EXPECT_STREQ(info.sha256, "abc");
  EXPECT_EQ(info.condition_size, 2);
  EXPECT_EQ(info.takes_normals, 1);
  EXPECT_EQ(info.max_batch, 8);
  ASSERT_EQ(info.condition_slot_count, 2u);
  EXPECT_STREQ(info.condition_slots[0], "viseme:aa");
  EXPECT_STREQ(info.condition_slots[1], "unit:jawOpen");
  ASSERT_EQ(info.expression_count, 1u);
  EXPECT_STREQ(info.expressions[0], "aa");
  ASSERT_EQ(blendwire_job_model(job.get(), 1, &info), BLENDWIRE_OK);
  EXPECT_STREQ(info.name, "second");
  EXPECT_EQ(info.expression_count, 0u);
}

TEST(ModelsTest, AreLoadedAndUnloaded) {
  const ClientPointer client = Connect();
  blendwire_load_request request;
  blendwire_load_request_init(&request, sizeof(request));
  char version[16] = "";
  EXPECT_EQ(blendwire_load_model(client.get(), &request, nullptr, version, sizeof(version)),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "request.path is NULL, but must not be");
  request.path = "face.onnx";
  EXPECT_EQ(blendwire_load_model(client.get(), &request, nullptr, version, sizeof(version)),
            BLENDWIRE_OK);
  EXPECT_STREQ(version, "2.0");
  char small[3] = "";
  EXPECT_EQ(blendwire_load_model(client.get(), &request, nullptr, small, sizeof(small)),
            BLENDWIRE_OK);
  EXPECT_STREQ(small, "2.");
  request.path = "face.txt";
  EXPECT_EQ(blendwire_load_model(client.get(), &request, nullptr, nullptr, 0), BLENDWIRE_UNKNOWN);
  EXPECT_STREQ(blendwire_last_error(), "Failed to load model");
  EXPECT_EQ(blendwire_unload_model(client.get(), nullptr, nullptr), BLENDWIRE_OK);
  EXPECT_EQ(blendwire_unload_model(client.get(), "missing", nullptr), BLENDWIRE_NOT_FOUND);
}

TEST(ServerTest, TellsAboutItself) {
  blendwire_server* const server = SharedServer();
  EXPECT_EQ(blendwire_server_check(server), BLENDWIRE_OK);
  EXPECT_THAT(Address(server), HasSubstr("127.0.0.1:"));
  char cut[5];
  EXPECT_EQ(blendwire_server_token(server, cut, sizeof(cut)), 64u);
  EXPECT_EQ(std::strlen(cut), 4u);
  char version[16];
  EXPECT_EQ(blendwire_server_version(server, version, sizeof(version)), 5u);
  EXPECT_STREQ(version, "0.1.0");
  EXPECT_GT(blendwire_server_pid(server), 1);
}

TEST(ServerTest, ACrashIsSeenAndARestartHelps) {
  const std::string program = TestProgram("fake_server");
  const blendwire_server_options options = ServerOptions(program);
  blendwire_server* raw = nullptr;
  ASSERT_EQ(blendwire_server_start(&options, &raw), BLENDWIRE_OK) << blendwire_last_error();
  const ServerPointer server(raw);
  const std::string first_address = Address(raw);
  blendwire_client_options client_options;
  blendwire_client_options_init(&client_options, sizeof(client_options));
  client_options.retry_max_attempts = 1;
  blendwire_client* client = nullptr;
  ASSERT_EQ(blendwire_client_create_for_server(raw, &client_options, &client), BLENDWIRE_OK);
  ClientPointer owner(client);
  Request request("crash");
  EXPECT_EQ(blendwire_predict(client, &request.request, nullptr, nullptr), BLENDWIRE_UNAVAILABLE);
  for (int i = 0; i < 2000 && blendwire_server_check(raw) == BLENDWIRE_OK; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(blendwire_server_check(raw), BLENDWIRE_INTERNAL);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("aborted"));
  ASSERT_EQ(blendwire_server_restart(raw), BLENDWIRE_OK) << blendwire_last_error();
  owner = Connect(raw);
  EXPECT_EQ(blendwire_health(owner.get(), nullptr, nullptr), BLENDWIRE_OK);
  EXPECT_EQ(blendwire_server_stop(raw, 5000), BLENDWIRE_OK);
  EXPECT_EQ(blendwire_server_check(raw), BLENDWIRE_FAILED_PRECONDITION);
}

TEST(ServerTest, StartsRestartsAndStopsInTheBackground) {
  const std::string program = TestProgram("fake_server");
  const blendwire_server_options options = ServerOptions(program);
  blendwire_job* raw_job = nullptr;
  ASSERT_EQ(blendwire_submit_server_start(&options, &raw_job), BLENDWIRE_OK);
  JobPointer job(raw_job);
  blendwire_server* raw = nullptr;
  ASSERT_EQ(blendwire_job_wait(job.get(), -1), BLENDWIRE_OK) << blendwire_last_error();
  ASSERT_EQ(blendwire_job_take_server(job.get(), &raw), BLENDWIRE_OK);
  ServerPointer server(raw);
  EXPECT_EQ(blendwire_job_take_server(job.get(), &raw), BLENDWIRE_FAILED_PRECONDITION);
  EXPECT_EQ(raw, nullptr);
  job.reset();
  EXPECT_EQ(blendwire_health(Connect(server.get()).get(), nullptr, nullptr), BLENDWIRE_OK);

  ASSERT_EQ(blendwire_submit_server_restart(server.get(), &raw_job), BLENDWIRE_OK);
  job.reset(raw_job);
  ASSERT_EQ(blendwire_job_wait(job.get(), -1), BLENDWIRE_OK) << blendwire_last_error();
  EXPECT_EQ(blendwire_health(Connect(server.get()).get(), nullptr, nullptr), BLENDWIRE_OK);

  ASSERT_EQ(blendwire_submit_server_stop(server.get(), 5000, &raw_job), BLENDWIRE_OK);
  job.reset(raw_job);
  server.reset();  // the job keeps it
  EXPECT_EQ(blendwire_job_wait(job.get(), -1), BLENDWIRE_OK) << blendwire_last_error();
}

TEST(ServerTest, AStartCanBeGivenUp) {
  const std::string program = TestProgram("fake_managed_server");
  blendwire_server_options options = ServerOptions(program);
  const std::array<const char*, 1> arguments = {"silent"};
  options.arguments = arguments.data();
  options.argument_count = 1;
  blendwire_job* job = nullptr;
  ASSERT_EQ(blendwire_submit_server_start(&options, &job), BLENDWIRE_OK);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(blendwire_job_wait(job, 100), BLENDWIRE_PENDING);
  blendwire_job_free(job);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST(ServerTest, AFailedStartSaysWhy) {
  blendwire_server_options options = ServerOptions("/no/such/program");
  options.program = "/no/such/program";
  blendwire_server* server = nullptr;
  EXPECT_EQ(blendwire_server_start(&options, &server), BLENDWIRE_NOT_FOUND);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("/no/such/program"));
  const std::string program = TestProgram("fake_managed_server");
  const std::array<const char*, 2> arguments = {"exit", "5"};
  options.program = program.c_str();
  options.arguments = arguments.data();
  options.argument_count = arguments.size();
  EXPECT_EQ(blendwire_server_start(&options, &server), BLENDWIRE_FAILED_PRECONDITION);
  EXPECT_THAT(blendwire_last_error(), HasSubstr("the model failed to load"));
  EXPECT_EQ(server, nullptr);
  options.argument_count = 0;
  options.arguments = nullptr;
  const std::array<const char*, 1> environment = {"NO=SUCH=thing"};
  options.environment = environment.data();
  options.environment_count = 1;
  EXPECT_EQ(blendwire_server_start(&options, &server), BLENDWIRE_INVALID_ARGUMENT)
      << "the fake wants a behaviour";
}

TEST(NullTest, EveryFunctionTakesIt) {
  blendwire_client_free(nullptr);
  blendwire_server_free(nullptr);
  blendwire_job_free(nullptr);
  blendwire_job_cancel(nullptr);
  EXPECT_EQ(blendwire_health(nullptr, nullptr, nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_STREQ(blendwire_last_error(), "client is NULL, but must not be");
  EXPECT_EQ(blendwire_submit_health(nullptr, nullptr, nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_predict(nullptr, nullptr, nullptr, nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_predict_batch(nullptr, nullptr, nullptr, nullptr, nullptr, nullptr),
            BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_job_poll(nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_job_wait(nullptr, 0), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_job_next_item(nullptr, nullptr), 0);
  EXPECT_EQ(blendwire_job_item(nullptr, 0, nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_job_take_server(nullptr, nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_server_check(nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_server_restart(nullptr), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_server_stop(nullptr, 0), BLENDWIRE_INVALID_ARGUMENT);
  EXPECT_EQ(blendwire_server_pid(nullptr), 0);
  EXPECT_EQ(blendwire_server_log(nullptr, nullptr, 0), 0u);
  EXPECT_STREQ(blendwire_job_message(nullptr), "");
}

}  // namespace

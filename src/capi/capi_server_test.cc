// SPDX-License-Identifier: Apache-2.0
//
// Statistics, models, and the private server.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <string>
#include <thread>

#include "capi/blendwire.h"
#include "capi/testing/library.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::capi_test {
namespace {

using ::testing::HasSubstr;

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

}  // namespace
}  // namespace blendwire::capi_test

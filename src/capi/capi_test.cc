// SPDX-License-Identifier: Apache-2.0
//
// Versions, errors, structs, the client itself, and NULL everywhere.

#include <cstddef>
#include <cstdint>
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
}  // namespace blendwire::capi_test

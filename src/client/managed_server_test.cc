// SPDX-License-Identifier: Apache-2.0

#include "client/managed_server.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/internal/circuit_breaker.h"
#include "client/internal/random_token.h"
#include "client/internal/startup_line.h"
#include "client/server_exit.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "system/executable_path.h"

namespace blendwire {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

std::filesystem::path FakeProgram() {
  return system::ExecutablePath().value().parent_path() /
         system::ProgramFileName("fake_managed_server");
}

ManagedServerOptions Options(std::vector<std::string> arguments) {
  ManagedServerOptions options;
  options.program = FakeProgram();
  options.arguments = std::move(arguments);
  options.start_timeout = absl::Seconds(20);
  return options;
}

// The log arrives on another thread.
std::vector<std::string> AwaitLog(const ManagedServer& server, const std::string& last) {
  for (int i = 0; i < 2000; ++i) {
    const auto log = server.recent_log();
    if (!log.empty() && log.back() == last) return log;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return server.recent_log();
}

void AwaitEnd(const ManagedServer& server) {
  for (int i = 0; i < 2000 && server.running(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_FALSE(server.running());
}

TEST(ManagedServerTest, StartsServesAndStops) {
  auto server = ManagedServer::Start(Options({"ok"}));
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(server->running());
  EXPECT_EQ(server->address(), "127.0.0.1:40001");
  EXPECT_EQ(server->version(), "9.8.7");
  EXPECT_EQ(server->pid(), 4242);
  EXPECT_THAT(server->token(), SizeIs(64));
  EXPECT_THAT(AwaitLog(*server, "token " + server->token()),
              ElementsAre("token " + server->token()));

  ClientOptions base;
  base.channels = 1;
  const ClientOptions options = server->client_options(base);
  EXPECT_EQ(options.address, "127.0.0.1:40001");
  EXPECT_EQ(options.token, server->token());
  EXPECT_EQ(options.channels, 1);
  EXPECT_TRUE(options.Validate().ok());

  EXPECT_EQ(server->Stop(), absl::OkStatus());
  EXPECT_EQ(server->CheckRunning().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(server->Stop(), absl::OkStatus());
  EXPECT_THAT(server->recent_log(), Contains("bye")) << "its last words are kept";
}

TEST(ManagedServerTest, EachStartHasItsOwnToken) {
  auto server = ManagedServer::Start(Options({"ok"}));
  ASSERT_TRUE(server.ok()) << server.status();
  std::set<std::string> tokens = {server->token()};
  for (int i = 0; i < 4; ++i) {  // restarts of a healthy server are no crashes
    ASSERT_EQ(server->Restart(), absl::OkStatus());
    EXPECT_TRUE(server->running());
    tokens.insert(server->token());
  }
  EXPECT_THAT(tokens, SizeIs(5));
}

TEST(ManagedServerTest, TheDestructorStopsIt) {
  auto server = ManagedServer::Start(Options({"ok"}));
  ASSERT_TRUE(server.ok()) << server.status();
  ManagedServer moved = *std::move(server);
  EXPECT_TRUE(moved.running());
  auto other = ManagedServer::Start(Options({"ok"}));
  ASSERT_TRUE(other.ok()) << other.status();
  moved = *std::move(other);
  EXPECT_TRUE(moved.running());
}

TEST(ManagedServerTest, ExitCodesBecomeAdvice) {
  const std::vector<std::tuple<int, absl::StatusCode, std::string>> cases = {
      {2, absl::StatusCode::kInvalidArgument, "arguments"},
      {3, absl::StatusCode::kFailedPrecondition, "in use"},
      {4, absl::StatusCode::kFailedPrecondition, "loopback"},
      {5, absl::StatusCode::kFailedPrecondition, "model failed to load"},
      {6, absl::StatusCode::kInvalidArgument, "token"},
      {7, absl::StatusCode::kInvalidArgument, "configuration file"},
      {70, absl::StatusCode::kInternal, "internal error"},
      {126, absl::StatusCode::kPermissionDenied, "cannot be executed"},
      {127, absl::StatusCode::kNotFound, "not found"},
      {55, absl::StatusCode::kInternal, "exit code 55"},
  };
  for (const auto& [code, status_code, text] : cases) {
    for (const std::string behaviour : {"exit", "exit-at-once"}) {
      const auto server = ManagedServer::Start(Options({behaviour, std::to_string(code)}));
      EXPECT_EQ(server.status().code(), status_code) << server.status();
      EXPECT_THAT(server.status().message(),
                  AllOf(HasSubstr(text), HasSubstr(absl::StrCat("exit code ", code)),
                        HasSubstr(behaviour == "exit" ? absl::StrCat("reason ", code)
                                                      : "first words\n  last words")));
    }
  }
}

TEST(ManagedServerTest, AnEndBeforeServingIsAnError) {
  const auto server = ManagedServer::Start(Options({"exit", "0"}));
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(server.status().message(), HasSubstr("ended before it served"));
}

TEST(ManagedServerTest, ACrashAtStartIsToldWithTheLog) {
  const auto server = ManagedServer::Start(Options({"crash-at-start"}));
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(server.status().message(),
              AllOf(HasSubstr("crashed"), HasSubstr("aborted"), HasSubstr("about to crash")));
}

TEST(ManagedServerTest, SilenceEndsInTime) {
  ManagedServerOptions options = Options({"silent"});
  options.start_timeout = absl::Milliseconds(500);
  const absl::Time before = absl::Now();
  const auto server = ManagedServer::Start(options);
  EXPECT_EQ(server.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(server.status().message(), AllOf(HasSubstr("500ms"), HasSubstr("thinking")));
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
}

TEST(ManagedServerTest, AStartCanBeCancelled) {
  const Cancellation cancellation;
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    cancellation.Cancel();
  });
  const absl::Time before = absl::Now();
  EXPECT_EQ(ManagedServer::Start(Options({"silent"}), cancellation).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_LT(absl::Now() - before, absl::Seconds(5));
  other.join();
}

TEST(ManagedServerTest, ACancelledRestartIsNoCrash) {
  ManagedServerOptions options = Options({"ok"});
  options.max_crashes = 1;
  auto server = ManagedServer::Start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  const Cancellation thrown;
  thrown.Cancel();
  EXPECT_EQ(server->Restart(thrown).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(server->CheckRunning().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(server->Restart(), absl::OkStatus());
  EXPECT_TRUE(server->running());
}

TEST(ManagedServerTest, ALineThatIsNoStartUpLineIsShown) {
  for (const std::string line : {"Server running on port 50051.", "[1]", "{\"address\":1}"}) {
    const auto server = ManagedServer::Start(Options({"say", line}));
    EXPECT_EQ(server.status().code(), absl::StatusCode::kInternal) << line;
    EXPECT_THAT(server.status().message(), HasSubstr("start-up line"));
  }
}

TEST(ManagedServerTest, AClosedOutputIsAnError) {
  const auto server = ManagedServer::Start(Options({"close-output"}));
  EXPECT_EQ(server.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(server.status().message(), HasSubstr("closed its output"));
}

TEST(ManagedServerTest, AServerThatDoesNotStopIsKilled) {
  auto server = ManagedServer::Start(Options({"ignore-end-of-input"}));
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(server->Stop(absl::Milliseconds(100)).code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_FALSE(server->running());
}

TEST(ManagedServerTest, ACrashIsNoticedAndRestartedUntilTheBreakerOpens) {
  ManagedServerOptions options = Options({"crash-later"});
  options.max_crashes = 3;
  auto server = ManagedServer::Start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  for (int crash = 1; crash <= 2; ++crash) {
    AwaitEnd(*server);
    EXPECT_EQ(server->CheckRunning().code(), absl::StatusCode::kInternal);
    EXPECT_THAT(server->CheckRunning().message(), HasSubstr("crashed"));
    EXPECT_EQ(server->Restart(), absl::OkStatus()) << crash;
  }
  AwaitEnd(*server);
  for (int i = 0; i < 2; ++i) {
    const absl::Status refused = server->Restart();
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(refused.message(),
                AllOf(HasSubstr("3 times within 1m"), HasSubstr("3. "), HasSubstr("aborted"),
                      HasSubstr("  crashing")));
    EXPECT_EQ(server->CheckRunning(), refused);
  }
}

TEST(ManagedServerTest, AnEndThatNobodyAskedForIsUnavailable) {
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / "blendwire_managed_server_test_end";
  std::filesystem::remove(file);
  auto server = ManagedServer::Start(Options({"exit-when-file-exists", file.string()}));
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_TRUE(server->running());
  std::ofstream(file) << "x";
  AwaitEnd(*server);
  EXPECT_EQ(server->CheckRunning().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server->Stop().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(server->Stop(), absl::OkStatus());
  std::filesystem::remove(file);
}

TEST(ManagedServerTest, MuchLogDoesNotBlockItAndTheLastLinesAreKept) {
  auto server = ManagedServer::Start(Options({"chatter"}));
  ASSERT_TRUE(server.ok()) << server.status();
  const auto log = AwaitLog(*server, "token " + server->token());
  ASSERT_THAT(log, SizeIs(100));
  EXPECT_EQ(log[98], "line 19999");
  EXPECT_EQ(log[0], "line 19901");
}

TEST(ManagedServerTest, TheLogCanGoToAFile) {
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / "blendwire_managed_server_test.log";
  std::filesystem::remove(file);
  ManagedServerOptions options = Options({"ok"});
  options.log_file = file;
  auto server = ManagedServer::Start(options);
  ASSERT_TRUE(server.ok()) << server.status();
  EXPECT_EQ(server->Stop(), absl::OkStatus());
  EXPECT_THAT(server->recent_log(), IsEmpty());
  std::ifstream stream(file);
  EXPECT_EQ((std::stringstream() << stream.rdbuf()).str(),
            absl::StrCat("token ", server->token(), "\nbye\n"));
  std::filesystem::remove(file);
}

TEST(ManagedServerTest, TheEnvironmentIsAsAsked) {
  ManagedServerOptions options = Options({"environment", "BLENDWIRE_TEST_VALUE"});
  options.environment = {{"BLENDWIRE_TEST_VALUE", "here"}};
  EXPECT_EQ(ManagedServer::Start(options)->version(), "here");
  options.arguments[1] = "HOME";
  options.environment = {{"HOME", std::nullopt}};
  EXPECT_EQ(ManagedServer::Start(options)->version(), "unset");
}

TEST(ManagedServerTest, TheTokenIsInNoArgumentAndNoEnvironment) {
  auto server = ManagedServer::Start(Options({"ok"}));
  ASSERT_TRUE(server.ok()) << server.status();
  AwaitLog(*server, "token " + server->token());
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    for (const char* file : {"cmdline", "environ"}) {
      std::ifstream stream(process.path() / file, std::ios::binary);
      EXPECT_THAT((std::stringstream() << stream.rdbuf()).str(),
                  Not(HasSubstr(server->token())));
    }
  }
}

TEST(ManagedServerTest, OptionsThatCannotBeRightAreNamed) {
  ManagedServerOptions options = Options({"ok"});
  options.start_timeout = absl::ZeroDuration();
  EXPECT_THAT(ManagedServer::Start(options).status().message(), HasSubstr("start_timeout"));
  options = Options({"ok"});
  options.max_crashes = 0;
  EXPECT_THAT(ManagedServer::Start(options).status().message(), HasSubstr("max_crashes"));
  options = Options({"ok"});
  options.log_file = "/no/such/folder/log";
  EXPECT_EQ(ManagedServer::Start(options).status().code(), absl::StatusCode::kNotFound);
}

TEST(FindServerProgramTest, LooksWhereItSays) {
  unsetenv("BLENDWIRE_SERVER");
  EXPECT_EQ(FindServerProgram(FakeProgram()).value(), FakeProgram());
  const auto missing = FindServerProgram("/no/such/server");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr("/no/such/server"));

  setenv("BLENDWIRE_SERVER", FakeProgram().c_str(), 1);
  EXPECT_EQ(FindServerProgram({}).value(), FakeProgram());
  setenv("BLENDWIRE_SERVER", "/no/such/other", 1);
  EXPECT_THAT(FindServerProgram({}).status().message(),
              AllOf(HasSubstr("BLENDWIRE_SERVER"), HasSubstr("/no/such/other")));
  unsetenv("BLENDWIRE_SERVER");
}

TEST(CircuitBreakerTest, OpensForGoodWithinTheWindowOnly) {
  client::CircuitBreaker breaker(3, absl::Seconds(60));
  const absl::Time start = absl::UnixEpoch();
  breaker.RecordFailure(start, "first");
  breaker.RecordFailure(start + absl::Seconds(50), "second");
  breaker.RecordFailure(start + absl::Seconds(61), "third");  // the first is too long ago
  EXPECT_TRUE(breaker.Check().ok());
  breaker.RecordFailure(start + absl::Seconds(100), "fourth");
  const absl::Status open = breaker.Check();
  EXPECT_EQ(open.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(open.message(), AllOf(HasSubstr("1. second"), HasSubstr("2. third"),
                                    HasSubstr("3. fourth"), Not(HasSubstr("first"))));
  breaker.RecordFailure(start + absl::Hours(9), "fifth");
  EXPECT_EQ(breaker.Check(), open);
}

TEST(StartupLineTest, ReadsWhatTheServerSays) {
  const auto line = client::ParseStartupLine(
      R"({"address":"127.0.0.1:40001","pid":123,"version":"0.1.0","more":true})");
  ASSERT_TRUE(line.ok()) << line.status();
  EXPECT_EQ(line->address, "127.0.0.1:40001");
  EXPECT_EQ(line->pid, 123);
  EXPECT_EQ(line->version, "0.1.0");
}

TEST(StartupLineTest, RefusesTheRest) {
  for (const std::string text :
       {"", "null", "{", "[]", R"({"pid":1,"version":"1"})", R"({"address":"127.0.0.1:1"})",
        R"({"address":"127.0.0.1:1","pid":"1","version":"1"})",
        R"({"address":"127.0.0.1:1","pid":1.5,"version":"1"})",
        R"({"address":"127.0.0.1:1","pid":1,"version":1})",
        R"({"address":"10.0.0.1:1","pid":1,"version":"1"})",
        R"({"address":"127.0.0.1:1","pid":1,"version":"1"} trailing)"}) {
    EXPECT_EQ(client::ParseStartupLine(text).status().code(), absl::StatusCode::kInternal) << text;
  }
}

TEST(RandomTokenTest, IsHexadecimalAndNeverTheSame) {
  std::set<std::string> tokens;
  for (int i = 0; i < 200; ++i) tokens.insert(client::RandomToken());
  EXPECT_THAT(tokens, SizeIs(200));
  for (const std::string& token : tokens) {
    EXPECT_EQ(token.size(), 64u);
    EXPECT_EQ(token.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

}  // namespace
}  // namespace blendwire

// SPDX-License-Identifier: Apache-2.0
//
// `blendwire watch` against a real gRPC server in this process; the figures are the fake server's.

#include <algorithm>
#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/testing/command_test.h"
#include "cli/watch_view.h"
#include "gmock/gmock.h"

namespace blendwire::cli {
namespace {

using ::blendwire::cli::testing::Ended;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

std::vector<std::string> Lines(const std::string& text) {
  return absl::StrSplit(text, '\n', absl::SkipEmpty());
}

class WatchTest : public testing::CommandTest {
 protected:
  Ended Watch(std::vector<std::string> arguments, bool terminal = false) const {
    arguments.insert(arguments.begin(), {"watch", "--server", server_.address()});
    return Run(arguments, terminal);
  }
};

TEST_F(WatchTest, ALineHasEverything) {
  const Ended ended = Watch({"--count", "2", "--interval", "0.05"});
  ASSERT_EQ(ended.code, ExitCode::kOk) << ended.err;
  EXPECT_THAT(ended.err, IsEmpty());
  const auto lines = Lines(ended.out);
  ASSERT_THAT(lines, SizeIs(2));
  // The time of day comes first.
  EXPECT_EQ(lines[0].substr(8),
            "  up 12 s, - requests/s, 4 in flight, 5 queued, "
            "90 ok, 10 failed (1 rejected, 2 cancelled, 3 late), "
            "p50/p95/p99 total 10.2/10.3/10.4 ms, inference 40.2/40.3/40.4 ms, "
            "CPU 150 %, memory 64 MiB, GPU 16 %, GPU memory 32 MiB; "
            "model default: 80 ok, 8 failed, inference 60.2/60.3/60.4 ms");
  EXPECT_THAT(lines[1], HasSubstr("up 12 s, 0.0 requests/s, "));
  EXPECT_THAT(ended.out, Not(HasSubstr("\x1b")));
}

TEST_F(WatchTest, OnATerminalItIsDrawnOverItself) {
  const Ended ended = Watch({"--count", "2", "--interval", "0.05"}, /*terminal=*/true);
  ASSERT_EQ(ended.code, ExitCode::kOk) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("\x1b[?25l\x1b[?7l\rBlendwire server 127.0.0.1:"));
  EXPECT_THAT(ended.out, EndsWith("\x1b[?7h\x1b[?25h"));
  // The second view begins as many lines up as the first has.
  const size_t second = ended.out.find("\x1b[J");
  ASSERT_NE(second, std::string::npos);
  const auto height =
      std::count(ended.out.begin(), ended.out.begin() + static_cast<std::ptrdiff_t>(second), '\n');
  EXPECT_THAT(ended.out.substr(second + 3), StartsWith(absl::StrCat("\x1b[", height, "A\r")));
  EXPECT_THAT(ended.out, HasSubstr("4 in flight, 5 queued"));
  EXPECT_THAT(ended.out, HasSubstr("  inference          40.2       40.3       40.4       40.5"));
}

TEST(RequestRate, IsWhatEndedOverTheTimeBetween) {
  RequestRate rate;
  EXPECT_EQ(rate.Next(100, 12.0f, absl::InfiniteDuration()), std::nullopt);
  EXPECT_EQ(rate.Next(150, 14.0f, absl::Seconds(2)), 25.0);
  EXPECT_EQ(rate.Next(150, 14.5f, absl::Milliseconds(500)), 0.0);
  // Counted anew: reset, then started again with more requests than before.
  EXPECT_EQ(rate.Next(10, 15.0f, absl::Milliseconds(500)), std::nullopt);
  EXPECT_EQ(rate.Next(20, 1.0f, absl::Seconds(2)), std::nullopt);
  EXPECT_EQ(rate.Next(30, 2.0f, absl::Seconds(1)), 10.0);
}

TEST_F(WatchTest, NoLineIsWiderThanATerminal) {
  Look look;
  look.server = "127.0.0.1:50051";
  ServerStats stats;
  stats.uptime_seconds = 500000;
  stats.successful_requests = 123456789;
  stats.failed_requests = 1234567;
  stats.rejected_requests = 123456;
  stats.cancelled_requests = 12345;
  stats.deadline_exceeded_requests = 1234;
  stats.resources = {1600, 12345, 81920, 100};
  stats.models.emplace_back().model_name = "default";
  look.stats = stats;
  for (const std::string& line : ToScreen(look)) EXPECT_LE(line.size(), 79u) << line;
  EXPECT_THAT(ToLine(look), HasSubstr("up 5 d 18:53 h, "));
}

TEST_F(WatchTest, AFailureInBetweenIsSaidAndItGoesOn) {
  std::atomic<int> calls = 0;
  service_.before = [&](grpc::ServerContext&, const std::string&) {
    return ++calls == 2 ? grpc::Status(grpc::UNAVAILABLE, "shutting down") : grpc::Status::OK;
  };
  const Ended ended = Watch({"--count", "3", "--interval", "0.05"});
  EXPECT_EQ(ended.code, ExitCode::kOk);
  EXPECT_EQ(calls, 3);  // no look is tried twice
  EXPECT_THAT(Lines(ended.out), ElementsAre(HasSubstr("up 12 s"), HasSubstr("  not reachable: "),
                                            HasSubstr("up 12 s")));
}

TEST_F(WatchTest, AServerThatIsStartedLaterIsFound) {
  const std::string address = server_.address();
  server_.Stop();
  std::atomic<int> calls = 0;
  service_.before = [&](grpc::ServerContext&, const std::string&) {
    if (++calls == 2) cancellation_.Cancel();
    return grpc::Status::OK;
  };
  Ended ended;
  std::thread watching([&] { ended = Watch({"--interval", "0.1"}); });
  absl::SleepFor(absl::Milliseconds(500));
  blendwire::testing::FakeServer later(service_, address);
  EXPECT_TRUE(later.started());
  watching.join();
  EXPECT_EQ(ended.code, ExitCode::kOk) << ended.err;
  const auto lines = Lines(ended.out);
  ASSERT_GE(lines.size(), 2u);
  EXPECT_THAT(lines.front(), HasSubstr("  not reachable: "));
  EXPECT_THAT(lines.back(), HasSubstr("up 12 s"));
}

TEST_F(WatchTest, CtrlCEndsTheWaitAtOnceAndGivesTheCursorBack) {
  service_.before = [this](grpc::ServerContext&, const std::string&) {
    std::thread([cancellation = cancellation_] {
      absl::SleepFor(absl::Milliseconds(500));
      cancellation.Cancel();
    }).detach();
    return grpc::Status::OK;
  };
  const absl::Time start = absl::Now();
  const Ended ended = Watch({"--interval", "3600"}, /*terminal=*/true);
  EXPECT_LT(absl::Now() - start, absl::Minutes(1));
  EXPECT_EQ(ended.code, ExitCode::kOk);
  EXPECT_THAT(ended.out, HasSubstr("up 12 s"));
  EXPECT_THAT(ended.out, EndsWith("\x1b[?7h\x1b[?25h"));
  EXPECT_THAT(ended.err, IsEmpty());
}

TEST_F(WatchTest, ARefusalEndsIt) {
  service_.before = [](grpc::ServerContext&, const std::string&) {
    return grpc::Status(grpc::UNAUTHENTICATED, "this server wants a token");
  };
  const Ended ended = Watch({"--interval", "0.05"});
  EXPECT_EQ(ended.code, ExitCode::kFailed);
  EXPECT_THAT(ended.err, HasSubstr("this server wants a token; give the server's token"));
}

TEST_F(WatchTest, WithoutAServerAtTheEndTheCodeIs3) {
  server_.Stop();
  const Ended ended = Watch({"--count", "2", "--interval", "0.05"});
  EXPECT_EQ(ended.code, ExitCode::kNoServer);
  EXPECT_THAT(Lines(ended.out), SizeIs(2));
  EXPECT_THAT(ended.out, HasSubstr("not reachable"));
}

TEST_F(WatchTest, WrongArgumentsAreCode2) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--interval", "0"}, {"--interval", "soon"}, {"--count", "-1"}, {"extra"}}) {
    EXPECT_EQ(Watch(arguments).code, ExitCode::kUsage) << ::testing::PrintToString(arguments);
  }
  EXPECT_THAT(service_.Seen(), IsEmpty());
}

}  // namespace
}  // namespace blendwire::cli

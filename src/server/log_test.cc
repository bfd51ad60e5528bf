// SPDX-License-Identifier: Apache-2.0

#include "server/log.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace blendwire::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

// What Log() writes on standard error.
std::string Logged(LogFormat format, absl::string_view event,
                   std::initializer_list<LogField> fields) {
  ConfigureLog(LogLevel::kDebug, format);
  ::testing::internal::CaptureStderr();
  Log(LogLevel::kWarning, event, fields);
  return ::testing::internal::GetCapturedStderr();
}

TEST(LogTest, NamesAreParsedInAnyCase) {
  EXPECT_EQ(ParseLogLevel("debug").value(), LogLevel::kDebug);
  EXPECT_EQ(ParseLogLevel("INFO").value(), LogLevel::kInfo);
  EXPECT_EQ(ParseLogLevel("Warn").value(), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("WARNING").value(), LogLevel::kWarning);
  EXPECT_EQ(ParseLogLevel("error").value(), LogLevel::kError);
  EXPECT_EQ(ParseLogLevel("CRITICAL").value(), LogLevel::kError);
  EXPECT_EQ(ParseLogFormat("JSON").value(), LogFormat::kJson);
  EXPECT_EQ(ParseLogFormat("text").value(), LogFormat::kText);
}

TEST(LogTest, UnknownNamesAreToldWithTheKnownOnes) {
  const absl::Status level = ParseLogLevel("LOUD").status();
  EXPECT_EQ(level.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(level.message()), HasSubstr("\"LOUD\""));
  EXPECT_THAT(std::string(level.message()), HasSubstr("DEBUG, INFO, WARNING or ERROR"));
  EXPECT_THAT(std::string(ParseLogFormat("xml").status().message()), HasSubstr("text or json"));
}

TEST(LogTest, TextIsOneLineOfKeysAndValues) {
  EXPECT_THAT(Logged(LogFormat::kText, "call", {{"code", "OK"}, {"ms", "12.5"}}),
              MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3} "
                           "warning call code=OK ms=12.5\n"));
}

TEST(LogTest, NoValueForgesALineOrAField) {
  for (const char* evil :
       {"a\nERROR forged", "a\r\nb", "a code=OK", "a\"b", "a=b", "", "\x1b[31mred", "\x7f", "a\tb"}) {
    const std::string line = Logged(LogFormat::kText, "call", {{"message", evil}, {"code", "X"}});
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_THAT(line, HasSubstr("message=\""));
    EXPECT_THAT(line, HasSubstr("\" code=X\n"));
    EXPECT_TRUE(std::none_of(line.begin(), line.end() - 1, [](char c) {
      return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    })) << line;
  }
}

TEST(LogTest, BracesAreNoFormat) {
  EXPECT_THAT(Logged(LogFormat::kText, "call", {{"message", "{}{0}%s%n"}}),
              HasSubstr("message={}{0}%s%n\n"));
}

TEST(LogTest, JsonIsOneObjectPerLine) {
  const std::string evil = "quote\" newline\n brace} \xc3\xa4 {}";
  const std::string line =
      Logged(LogFormat::kJson, "call", {{"method", "PredictBatch"}, {"message", evil}});
  EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1);
  const nlohmann::json json = nlohmann::json::parse(line);
  EXPECT_EQ(json["event"], "call");
  EXPECT_EQ(json["level"], "warning");
  EXPECT_EQ(json["method"], "PredictBatch");
  EXPECT_EQ(json["message"], evil);
  EXPECT_THAT(json["time"].get<std::string>(),
              MatchesRegex("[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z"));
}

TEST(LogTest, JsonOfWhatIsNoUtf8IsStillJson) {
  const std::string line = Logged(LogFormat::kJson, "call", {{"message", "a\xff\xc3z"}});
  EXPECT_THAT(nlohmann::json::parse(line)["message"].get<std::string>(),
              MatchesRegex("a.*z"));
}

TEST(LogTest, LinesBelowTheLevelAreDropped) {
  ConfigureLog(LogLevel::kWarning, LogFormat::kText);
  ::testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "quiet");
  Log(LogLevel::kError, "loud");
  const std::string text = ::testing::internal::GetCapturedStderr();
  EXPECT_THAT(text, Not(HasSubstr("quiet")));
  EXPECT_THAT(text, HasSubstr(" error loud\n"));
}

TEST(LogTest, ThreadsDoNotMixTheirLines) {
  ConfigureLog(LogLevel::kDebug, LogFormat::kText);
  ::testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 100; ++i) {
        Log(LogLevel::kInfo, "call", {{"value", std::string(200, 'x')}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string text = ::testing::internal::GetCapturedStderr();
  const std::vector<std::string> lines = absl::StrSplit(text, '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 400u);
  for (const std::string& line : lines) {
    EXPECT_TRUE(line.ends_with(" info call value=" + std::string(200, 'x'))) << line;
  }
}

}  // namespace
}  // namespace blendwire::server

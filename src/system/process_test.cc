// SPDX-License-Identifier: Apache-2.0

#include "system/process.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "system/executable_path.h"

namespace blendwire::system {
namespace {

using ::testing::HasSubstr;
using Output = Process::Output;

std::filesystem::path TestChild() {
  return ExecutablePath().value().parent_path() / ProgramFileName("process_test_child");
}

ProcessOptions ChildOptions(std::vector<std::string> arguments) {
  ProcessOptions options;
  options.program = TestChild();
  options.arguments = std::move(arguments);
  options.standard_output = Redirect::Pipe();
  return options;
}

std::unique_ptr<Process> StartChild(const ProcessOptions& options) {
  auto process = Process::Start(options);
  EXPECT_TRUE(process.ok()) << process.status();
  return *std::move(process);
}

std::vector<std::string> ReadAll(Process& process, Output output = Output::kStandardOutput) {
  std::vector<std::string> lines;
  while (true) {
    auto line = process.ReadLine(output, absl::Seconds(20));
    if (!line.ok()) {
      EXPECT_EQ(line.status().code(), absl::StatusCode::kOutOfRange) << line.status();
      return lines;
    }
    lines.push_back(*line);
  }
}

int ExitCode(Process& process) {
  const auto exit = process.Wait(absl::Seconds(20));
  if (!exit.has_value() || exit->kind != ProcessExit::Kind::kExited) return -1;
  return exit->code;
}

TEST(ProcessTest, ArgumentsArriveUnchanged) {
  const std::vector<std::string> arguments = {"", " a  b ", "$HOME", "\"q\" 'q'", "*", "ünï\u3042"};
  std::vector<std::string> all = {"arguments"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  auto process = StartChild(ChildOptions(all));
  std::vector<std::string> expected;
  for (const auto& text : arguments) expected.push_back("[" + text + "]");
  EXPECT_EQ(ReadAll(*process), expected);
  EXPECT_EQ(ExitCode(*process), 0);
}

TEST(ProcessTest, EnvironmentIsInheritedSetAndRemoved) {
  ASSERT_FALSE(GetEnvironment("BLENDWIRE_TEST_NEW").has_value());
  const auto path = GetEnvironment("PATH");
  ASSERT_TRUE(path.has_value());
  ProcessOptions options =
      ChildOptions({"environment", "PATH", "HOME", "BLENDWIRE_TEST_NEW", "BLENDWIRE_TEST_EMPTY"});
  options.environment = {
      {"HOME", std::nullopt}, {"BLENDWIRE_TEST_NEW", "a=b"}, {"BLENDWIRE_TEST_EMPTY", ""}};
  auto process = StartChild(options);
  EXPECT_EQ(ReadAll(*process),
            (std::vector<std::string>{"PATH=" + *path, "HOME unset", "BLENDWIRE_TEST_NEW=a=b",
                                      "BLENDWIRE_TEST_EMPTY="}));
}

TEST(ProcessTest, TalksOverPipesUntilInputCloses) {
  ProcessOptions options = ChildOptions({"echo"});
  options.standard_input = Redirect::Pipe();
  auto process = StartChild(options);
  ASSERT_TRUE(process->Write("one\ntw", absl::Seconds(5)).ok());
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(20)).value(), "got one");
  ASSERT_TRUE(process->Write("o\n", absl::Seconds(5)).ok());
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(20)).value(), "got two");
  EXPECT_FALSE(process->Wait(absl::ZeroDuration()).has_value());
  process->CloseInput();
  process->CloseInput();
  EXPECT_EQ(ReadAll(*process), std::vector<std::string>{"end"});
  EXPECT_EQ(ExitCode(*process), 0);
  EXPECT_EQ(process->Write("more\n", absl::Seconds(1)).code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(ProcessTest, ExitCodeIsReportedEachTime) {
  auto process = StartChild(ChildOptions({"exit", "37"}));
  EXPECT_EQ(ExitCode(*process), 37);
  EXPECT_EQ(ExitCode(*process), 37);
  EXPECT_EQ(process->Wait(absl::ZeroDuration())->ToString(), "exit code 37");
  process->Kill();  // of no effect any more
}

TEST(ProcessTest, ACrashIsReportedAsSuch) {
  auto process = StartChild(ChildOptions({"abort"}));
  const auto exit = process->Wait(absl::Seconds(20));
  ASSERT_TRUE(exit.has_value());
  EXPECT_EQ(exit->kind, ProcessExit::Kind::kSignaled);
  EXPECT_EQ(exit->code, SIGABRT);
  EXPECT_THAT(exit->ToString(), HasSubstr("aborted"));
  EXPECT_FALSE(exit->success());
}

TEST(ProcessTest, KillEndsAProcessThatWouldNotEnd) {
  for (const bool own_group : {false, true}) {
    ProcessOptions options = ChildOptions({"sleep"});
    options.own_process_group = own_group;
    auto process = StartChild(options);
    EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(20)).value(), "asleep");
    EXPECT_FALSE(process->Wait(absl::Milliseconds(20)).has_value());
    process->Kill();
    const auto exit = process->Wait(absl::Seconds(20));
    ASSERT_TRUE(exit.has_value());
    EXPECT_EQ(exit->kind, ProcessExit::Kind::kSignaled);
  }
}

TEST(ProcessTest, TheDestructorLeavesNothingRunning) {
  auto process = StartChild(ChildOptions({"sleep"}));
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(20)).value(), "asleep");
  const int64_t pid = process->pid();
  const absl::Time before = absl::Now();
  process.reset();
  EXPECT_LT(absl::Now() - before, absl::Seconds(3));
  EXPECT_FALSE(std::filesystem::exists("/proc/" + std::to_string(pid)));
}

TEST(ProcessTest, NoPipeLeaksIntoAnotherChild) {
  ProcessOptions options = ChildOptions({"echo"});
  options.standard_input = Redirect::Pipe();
  auto first = StartChild(options);
  auto second = StartChild(options);  // would hold first's input open, had it inherited it
  first->CloseInput();
  EXPECT_EQ(ReadAll(*first), std::vector<std::string>{"end"});
  EXPECT_FALSE(second->Wait(absl::ZeroDuration()).has_value());
}

TEST(ProcessTest, ReadLineGivesUpInTimeAndLosesNothing) {
  ProcessOptions options = ChildOptions({"half-line"});
  options.standard_input = Redirect::Pipe();
  auto process = StartChild(options);
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Milliseconds(300)).status().code(),
            absl::StatusCode::kDeadlineExceeded);
  ASSERT_TRUE(process->Write("\n", absl::Seconds(5)).ok());
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(20)).value(), "half a line");
}

TEST(ProcessTest, AnEndlessLineComesInPieces) {
  auto process = StartChild(ChildOptions({"long-line"}));
  std::string whole;
  for (const std::string& piece : ReadAll(*process)) {
    EXPECT_LE(piece.size(), Process::kMaxLineBytes);
    whole += piece;
  }
  EXPECT_EQ(whole, std::string(1'000'000, 'x'));
}

TEST(ProcessTest, StandardErrorIsReadLineByLine) {
  ProcessOptions options = ChildOptions({"errors"});
  options.standard_error = Redirect::Pipe();
  auto process = StartChild(options);
  EXPECT_EQ(ReadAll(*process, Output::kStandardError),
            (std::vector<std::string>{"first", "second", "last without a line end"}));
}

TEST(ProcessTest, StopReadingWakesAReader) {
  auto process = StartChild(ChildOptions({"sleep"}));
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(20)).value(), "asleep");
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    process->StopReading();
  });
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::InfiniteDuration()).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(20)).status().code(),
            absl::StatusCode::kCancelled);
  stopper.join();
}

TEST(ProcessTest, WritingToAClosedInputIsAnErrorAndNoSignal) {
  ProcessOptions options = ChildOptions({"close-input"});
  options.standard_input = Redirect::Pipe();
  auto process = StartChild(options);
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(20)).value(), "closed");
  EXPECT_EQ(process->Write("token\n", absl::Seconds(5)).code(), absl::StatusCode::kUnavailable);
}

TEST(ProcessTest, WritingToAProcessThatDoesNotReadTimesOut) {
  ProcessOptions options = ChildOptions({"sleep"});
  options.standard_input = Redirect::Pipe();
  auto process = StartChild(options);
  EXPECT_EQ(process->Write(std::string(1 << 20, 'x'), absl::Milliseconds(50)).code(),
            absl::StatusCode::kDeadlineExceeded);
}

TEST(ProcessTest, FilesAreReadAndAppendedTo) {
  const std::filesystem::path folder =
      std::filesystem::path(::testing::TempDir()) / "blendwire_process_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "in") << "one\ntwo\n";
  std::ofstream(folder / "out") << "before\n";
  ProcessOptions options = ChildOptions({"echo"});
  options.standard_input = Redirect::File(folder / "in");
  options.standard_output = Redirect::File(folder / "out");
  auto process = StartChild(options);
  EXPECT_EQ(ExitCode(*process), 0);
  std::ifstream out(folder / "out");
  EXPECT_EQ((std::stringstream() << out.rdbuf()).str(), "before\ngot one\ngot two\nend\n");
  EXPECT_EQ(process->ReadLine(Output::kStandardOutput, absl::Seconds(1)).status().code(),
            absl::StatusCode::kFailedPrecondition);
  out.close();  // Windows removes no file that is open
  std::filesystem::remove_all(folder);
}

TEST(ProcessTest, NullInputIsEndOfFile) {
  auto process = StartChild(ChildOptions({"echo"}));
  EXPECT_EQ(ReadAll(*process), std::vector<std::string>{"end"});
}

TEST(ProcessTest, IgnoredSignalsOfTheHostAreNotTheChilds) {
  const auto previous = std::signal(SIGINT, SIG_IGN);
  auto process = StartChild(ChildOptions({"signals"}));
  EXPECT_EQ(ReadAll(*process), std::vector<std::string>{"default"});
  std::signal(SIGINT, previous);
}

TEST(ProcessTest, AMissingProgramIsNotFound) {
  ProcessOptions options = ChildOptions({});
  options.program = "/no/such/program";
  const auto process = Process::Start(options);
  EXPECT_EQ(process.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(process.status().message(), HasSubstr("/no/such/program"));
}

TEST(ProcessTest, AFileThatIsNoProgramIsRefused) {
  const std::filesystem::path file =
      std::filesystem::path(::testing::TempDir()) / "blendwire_no_program";
  std::ofstream(file) << "text";
  ProcessOptions options = ChildOptions({});
  options.program = file;
  EXPECT_EQ(Process::Start(options).status().code(), absl::StatusCode::kPermissionDenied);
  std::filesystem::remove(file);
}

TEST(ProcessTest, OptionsThatCannotBeRightAreNamed) {
  ProcessOptions options;
  EXPECT_THAT(Process::Start(options).status().message(), HasSubstr("program"));
  options = ChildOptions({"a", std::string("b\0c", 3)});
  EXPECT_THAT(Process::Start(options).status().message(), HasSubstr("arguments[1]"));
  options = ChildOptions({});
  options.environment = {{"A=B", "c"}};
  EXPECT_EQ(Process::Start(options).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Process::Start(options).status().message(), HasSubstr("A=B"));
}

}  // namespace
}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0
//
// Runs the whole command inside the test, against a real gRPC server in this process.

#ifndef BLENDWIRE_CLI_TESTING_COMMAND_TEST_H_
#define BLENDWIRE_CLI_TESTING_COMMAND_TEST_H_

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "cli/app.h"
#include "client/testing/fake_server.h"
#include "gtest/gtest.h"

namespace blendwire::cli::testing {

struct Ended {
  ExitCode code = ExitCode::kOk;
  std::string out;
  std::string err;
};

// Has a folder of its own, with face.obj: four vertices of one quadrangle.
class CommandTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(::testing::TempDir()) / "blendwire_command" /
              (std::string(test->test_suite_name()) + test->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ / "face.obj")
        << "o face\nv 0 0 0.01\nv 0.01 0 0.01\nv 0.01 0.01 0.01\nv 0 0.01 0.01\nf 1 2 3 4\n";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // With `terminal`, both outputs are one.
  Ended Run(const std::vector<std::string>& arguments, bool terminal = false) const {
    std::ostringstream out;
    std::ostringstream err;
    Context context = {.out = out,
                       .err = err,
                       .terminal = terminal,
                       .output_terminal = terminal,
                       .cancellation = cancellation_,
                       .connect = OpenSession};
    const ExitCode code = RunProgram(arguments, context);
    return {code, out.str(), err.str()};
  }

  std::string File(const std::string& name) const { return (folder_ / name).string(); }

  static std::string Bytes(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }

  std::filesystem::path folder_;
  Cancellation cancellation_;
  blendwire::testing::FakeService service_;
  blendwire::testing::FakeServer server_{service_};
};

}  // namespace blendwire::cli::testing

#endif  // BLENDWIRE_CLI_TESTING_COMMAND_TEST_H_

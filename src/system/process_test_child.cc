// SPDX-License-Identifier: Apache-2.0
//
// What the process tests start: does the one thing that its first argument names.

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "system/process.h"
#include "system/program_start.h"

int main(int argc, char** argv) {
  const std::vector<std::string> arguments = blendwire::system::StartProgram(argc, argv);
  const std::string_view what = arguments.size() > 1 ? std::string_view(arguments[1]) : "";
  if (what == "arguments") {
    for (size_t i = 2; i < arguments.size(); ++i) std::cout << "[" << arguments[i] << "]\n";
  } else if (what == "environment") {
    for (size_t i = 2; i < arguments.size(); ++i) {
      const auto value = blendwire::system::GetEnvironment(arguments[i]);
      std::cout << arguments[i] << (value.has_value() ? "=" + *value : " unset") << "\n";
    }
  } else if (what == "echo") {  // until standard input closes
    std::string line;
    while (std::getline(std::cin, line)) std::cout << "got " << line << std::endl;
    std::cout << "end" << std::endl;
  } else if (what == "exit") {
    return std::atoi(arguments.at(2).c_str());
  } else if (what == "abort") {
    std::abort();
  } else if (what == "errors") {
    std::cerr << "first\r\nsecond\nlast without a line end";
  } else if (what == "sleep") {
    std::cout << "asleep" << std::endl;
    std::this_thread::sleep_for(std::chrono::hours(1));
  } else if (what == "long-line") {
    std::cout << std::string(1'000'000, 'x') << std::endl;
  } else if (what == "half-line") {
    std::cout << "half" << std::flush;
    std::string line;
    std::getline(std::cin, line);
    std::cout << " a line" << std::endl;
  } else if (what == "close-input") {
    std::fclose(stdin);
    std::cout << "closed" << std::endl;
    std::this_thread::sleep_for(std::chrono::hours(1));
  } else if (what == "signals") {
    const auto previous = std::signal(SIGINT, SIG_DFL);
    std::cout << (previous == SIG_DFL ? "default" : "not default") << std::endl;
  } else {
    return 99;
  }
  return 0;
}

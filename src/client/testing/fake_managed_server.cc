// SPDX-License-Identifier: Apache-2.0
//
// A program that speaks the managed server's start-up protocol and serves nothing:
//
//   fake_managed_server --managed --port 0 BEHAVIOUR [ARGUMENT]
//
// It logs the token that it got, so that a test can see it.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

void Announce(const std::string& address, const std::string& token, const std::string& version) {
  std::cout << "{\"address\":\"" << address << "\",\"pid\":4242,\"version\":\"" << version
            << "\",\"extra\":[1]}" << std::endl;
  std::cerr << "token " << token << std::endl;
}

void WaitForEndOfInput() {
  std::string line;
  while (std::getline(std::cin, line)) {
  }
}

void SleepForEver() { std::this_thread::sleep_for(std::chrono::hours(1)); }

int Run(const std::string& behaviour, const std::string& argument) {
  if (behaviour == "exit-at-once") {  // without reading the token
    std::cerr << "first words\nlast words" << std::endl;
    return std::atoi(argument.c_str());
  }
  std::string token;
  std::getline(std::cin, token);
  if (behaviour == "ok") {
    Announce("127.0.0.1:40001", token, "9.8.7");
    WaitForEndOfInput();
    std::cerr << "bye" << std::endl;
    return 0;
  }
  if (behaviour == "exit") {
    std::cerr << "reason " << argument << std::endl;
    return std::atoi(argument.c_str());
  }
  if (behaviour == "silent") {
    std::cerr << "thinking" << std::endl;
    SleepForEver();
  }
  if (behaviour == "say") {
    std::cout << argument << std::endl;
    WaitForEndOfInput();
  }
  if (behaviour == "close-output") {
    std::fclose(stdout);
    SleepForEver();
  }
  if (behaviour == "crash-at-start") {
    std::cerr << "about to crash" << std::endl;
    std::abort();
  }
  if (behaviour == "crash-later") {
    Announce("127.0.0.1:40001", token, "9.8.7");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    std::cerr << "crashing" << std::endl;
    std::abort();
  }
  if (behaviour == "exit-when-file-exists") {
    Announce("127.0.0.1:40001", token, "9.8.7");
    while (!std::ifstream(argument).good()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return 0;
  }
  if (behaviour == "ignore-end-of-input") {
    Announce("127.0.0.1:40001", token, "9.8.7");
    SleepForEver();
  }
  if (behaviour == "chatter") {  // far more than a pipe holds
    for (int i = 0; i < 20'000; ++i) std::cerr << "line " << i << "\n";
    std::cerr << std::flush;
    Announce("127.0.0.1:40001", token, "9.8.7");
    WaitForEndOfInput();
    return 0;
  }
  if (behaviour == "environment") {
    const char* value = std::getenv(argument.c_str());
    Announce("127.0.0.1:40001", token, value == nullptr ? "unset" : value);
    WaitForEndOfInput();
  }
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 4 || arguments[0] != "--managed" || arguments[1] != "--port" ||
      arguments[2] != "0") {
    return 2;
  }
  return Run(arguments[3], arguments.size() > 4 ? arguments[4] : "");
}

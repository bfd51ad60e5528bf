// SPDX-License-Identifier: Apache-2.0

#include "system/spawn_posix.h"

#include <signal.h>
#include <spawn.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"

extern char** environ;  // NOLINT(readability-redundant-declaration): not on every system

namespace blendwire::system {
namespace {

std::vector<std::string> BuildEnvironment(
    const std::map<std::string, std::optional<std::string>>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!changes.contains(std::string(text.substr(0, text.find('='))))) result.emplace_back(text);
  }
  for (const auto& [name, value] : changes) {
    if (value.has_value()) result.push_back(absl::StrCat(name, "=", *value));
  }
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Owns the two attribute objects of posix_spawn.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // dup2 clears close-on-exec on the copy.
  void Connect(const Descriptor& from, int standard_stream) {
    if (from.open()) posix_spawn_file_actions_adddup2(&actions_, from.get(), standard_stream);
  }

  // A host such as Python ignores SIGPIPE, and a thread may block signals: neither is the child's.
  void ResetSignals(bool own_process_group) {
    sigset_t none;
    sigset_t defaults;
    sigemptyset(&none);
    sigemptyset(&defaults);
    for (int signal : {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD, SIGUSR1, SIGUSR2}) {
      sigaddset(&defaults, signal);
    }
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (own_process_group) {
      posix_spawnattr_setpgroup(&attributes_, 0);
      flags |= POSIX_SPAWN_SETPGROUP;
    }
    // NOLINTNEXTLINE(google-runtime-int): as POSIX has it
    posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

absl::StatusOr<pid_t> Spawn(const ProcessOptions& options, const Descriptor& input,
                            const Descriptor& output, const Descriptor& error) {
  SpawnSettings settings;
  settings.Connect(input, STDIN_FILENO);
  settings.Connect(output, STDOUT_FILENO);
  settings.Connect(error, STDERR_FILENO);
  settings.ResetSignals(options.own_process_group);

  std::vector<std::string> arguments = {options.program.native()};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  std::vector<std::string> environment = BuildEnvironment(options.environment);
  pid_t pid = -1;
  const int failure =
      posix_spawn(&pid, options.program.c_str(), settings.actions(), settings.attributes(),
                  Pointers(arguments).data(), Pointers(environment).data());
  if (failure != 0) {
    return SystemError(failure,
                       absl::StrCat("\"", options.program.native(), "\" cannot be started"));
  }
  return pid;
}

}  // namespace blendwire::system

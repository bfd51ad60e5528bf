// SPDX-License-Identifier: Apache-2.0

#include <pthread.h>
#include <signal.h>

#include <thread>
#include <utility>

#include "system/termination.h"

namespace blendwire::system {

void OnTerminationRequest(std::function<void(const std::string& cause)> on_request) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  // When the reader of standard error has gone, or it is a file that may not grow any more, writing
  // must fail, not end the process.
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([signals, on_request = std::move(on_request)] {
    while (true) {
      int signal = 0;
      if (sigwait(&signals, &signal) == 0) on_request(signal == SIGINT ? "SIGINT" : "SIGTERM");
    }
  }).detach();
}

}  // namespace blendwire::system

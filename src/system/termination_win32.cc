// SPDX-License-Identifier: Apache-2.0

#include <utility>

#include "system/termination.h"
#include "system/win32.h"

namespace blendwire::system {
namespace {

// Set once, before the handler is.
std::function<void(const std::string&)>& Callback() {
  static auto& callback = *new std::function<void(const std::string&)>();
  return callback;
}

// Windows calls it on a thread of its own.
BOOL WINAPI HandleControlEvent(DWORD event) {
  switch (event) {
    case CTRL_C_EVENT:
      Callback()("Ctrl-C");
      return TRUE;
    case CTRL_BREAK_EVENT:
      Callback()("Ctrl-Break");
      return TRUE;
    case CTRL_CLOSE_EVENT:
      Callback()("its window was closed");
      break;
    case CTRL_LOGOFF_EVENT:
      Callback()("the user logged off");
      break;
    case CTRL_SHUTDOWN_EVENT:
      Callback()("the system shuts down");
      break;
    default:
      return FALSE;
  }
  // Once this function returns, Windows ends the process. It waits some seconds for that, which are
  // what the program has to end by itself.
  Sleep(INFINITE);
  return TRUE;
}

}  // namespace

void OnTerminationRequest(std::function<void(const std::string& cause)> on_request) {
  Callback() = std::move(on_request);
  // A process that was started in a new group ignores Ctrl-C until it says otherwise.
  SetConsoleCtrlHandler(nullptr, FALSE);
  SetConsoleCtrlHandler(HandleControlEvent, TRUE);
}

}  // namespace blendwire::system

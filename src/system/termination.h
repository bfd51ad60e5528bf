// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_TERMINATION_H_
#define BLENDWIRE_SYSTEM_TERMINATION_H_

#include <functional>
#include <string>

namespace blendwire::system {

// Calls `on_request` each time the system or the user asks this process to end (SIGINT, SIGTERM;
// Ctrl-C and close events on Windows), with the name of what asked. On a thread of its own, where
// everything is allowed that is not in a signal handler. Once, and before any other thread starts:
// threads inherit that the signals are blocked. A write to a pipe that nobody reads any more, or to a
// file that may not grow, fails from then on, and does not end the process.
void OnTerminationRequest(std::function<void(const std::string& cause)> on_request);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_TERMINATION_H_

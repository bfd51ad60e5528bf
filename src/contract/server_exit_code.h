// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CONTRACT_SERVER_EXIT_CODE_H_
#define BLENDWIRE_CONTRACT_SERVER_EXIT_CODE_H_

namespace blendwire::contract {

// How `blendwire-server` ends. Programs that start it turn these into advice; docs/server.md lists
// them.
enum class ServerExitCode {
  kOk = 0,
  kUsage = 2,               // an argument is wrong
  kAddressInUse = 3,        // something else listens there
  kAddressNotLoopback = 4,  // the address can be reached from other machines, or is no address
  kModelFailed = 5,         // the model could not be loaded
  kTokenProblem = 6,        // no token, a bad one, or its file is readable by others
  kBadConfiguration = 7,    // the configuration file is wrong
  kInternalError = 70,
};

}  // namespace blendwire::contract

#endif  // BLENDWIRE_CONTRACT_SERVER_EXIT_CODE_H_

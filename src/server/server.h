// SPDX-License-Identifier: Apache-2.0
//
// The server's life: token, model, address, serving, drain.

#ifndef BLENDWIRE_SERVER_SERVER_H_
#define BLENDWIRE_SERVER_SERVER_H_

#include "contract/server_exit_code.h"
#include "server/options.h"

namespace blendwire::server {

// Serves until the process is asked to end: by SIGINT or SIGTERM (or what the system has in their
// place), or, when managed, by the end of standard input. Then: health says NOT_SERVING, new work
// is refused with UNAVAILABLE, running work may finish within the grace period and is stopped after
// it. A second request to end stops it at once.
contract::ServerExitCode RunServer(const ServerOptions& options);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_SERVER_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_SHARE_MEMORY_CALL_H_
#define BLENDWIRE_SERVER_SHARE_MEMORY_CALL_H_

#include "grpcpp/grpcpp.h"
#include "server/core.h"
#include "server/translate.h"

namespace blendwire::server {

// The region is there as long as the call: when a caller is killed, its connection goes, and the
// region with it.
grpc::ServerWriteReactor<pb::SharedMemoryRegion>* StartShareMemory(
    Core& core, grpc::CallbackServerContext& context, const pb::ShareMemoryRequest& request);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_SHARE_MEMORY_CALL_H_

// SPDX-License-Identifier: Apache-2.0
//
// The reactors of the three predicting methods. Each owns itself: gRPC tells when it is done.

#ifndef BLENDWIRE_SERVER_PREDICT_CALLS_H_
#define BLENDWIRE_SERVER_PREDICT_CALLS_H_

#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "server/core.h"
#include "server/translate.h"

namespace blendwire::server {

grpc::ServerUnaryReactor* StartPredict(Core& core, grpc::CallbackServerContext& context,
                                       const pb::VertexOffsetRequest& request,
                                       pb::VertexOffsetResponse& response);

grpc::ServerUnaryReactor* StartPredictBatch(Core& core, grpc::CallbackServerContext& context,
                                            const pb::BatchPredictionRequest& request,
                                            pb::BatchPredictionResponse& response);

grpc::ServerWriteReactor<pb::BatchPredictionUpdate>* StartPredictStream(
    Core& core, grpc::CallbackServerContext& context, const pb::BatchPredictionRequest& request);

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_PREDICT_CALLS_H_

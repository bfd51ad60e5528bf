// SPDX-License-Identifier: Apache-2.0
// What most files of gRPC's C++ layer include, see grpc.cmake.
#include "grpc_precompiled.h"

#include <grpcpp/grpcpp.h>

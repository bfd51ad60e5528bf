# SPDX-License-Identifier: Apache-2.0
# Included at the end of gRPC's project() command; what it defers happens at the end of gRPC's
# CMakeLists.txt.
#
# Without TLS (gRPC_SSL_PROVIDER=none) gRPC builds its "unsecure" libraries. Added to them: local
# credentials, which the server uses and which need no TLS (GRPC_WITHOUT_TLS, see ../patches), and
# server reflection, which gRPC builds for its secure library only.
#
# Precompiled headers more than halve the time that gRPC takes.

add_compile_definitions(GRPC_WITHOUT_TLS GRPC_ARES=0)
# gRPC 1.51 writes "x.template f(...)", which newer compilers take for an error.
add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wno-missing-template-arg-list-after-template-kw>)
set(precompiled ${CMAKE_CURRENT_LIST_DIR}/grpc_precompiled.h)
set(precompiled_cpp ${CMAKE_CURRENT_LIST_DIR}/grpcpp_precompiled.h)
function(blendwire_extend_grpc)
  target_sources(grpc_unsecure PRIVATE
    src/core/lib/security/credentials/local/local_credentials.cc
    src/core/lib/security/security_connector/local/local_security_connector.cc)
  target_sources(grpc++_unsecure PRIVATE
    src/cpp/common/auth_property_iterator.cc
    src/cpp/common/secure_auth_context.cc
    src/cpp/ext/proto_server_reflection.cc
    src/cpp/ext/proto_server_reflection_plugin.cc
    src/cpp/server/secure_server_credentials.cc
    src/proto/grpc/reflection/v1alpha/reflection.grpc.pb.cc
    src/proto/grpc/reflection/v1alpha/reflection.pb.cc)
  target_precompile_headers(grpc_unsecure PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${precompiled}>)
  target_precompile_headers(grpc++_unsecure PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${precompiled_cpp}>)
endfunction()
cmake_language(DEFER CALL blendwire_extend_grpc)

# SPDX-License-Identifier: Apache-2.0
# gRPC without TLS, under the names that it has everywhere else.
include(CMakeFindDependencyMacro)
find_dependency(absl CONFIG)
find_dependency(Protobuf CONFIG)
find_dependency(re2 CONFIG)
find_dependency(Threads)
find_dependency(ZLIB)

if(NOT TARGET gRPC::grpc++)
  get_filename_component(prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
  foreach(library IN ITEMS grpc++_unsecure grpc_unsecure gpr address_sorting upb)
    add_library(gRPC::${library} STATIC IMPORTED)
    set_target_properties(gRPC::${library} PROPERTIES
      IMPORTED_LOCATION ${prefix}/lib/lib${library}.a
      INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
  endforeach()
  target_link_libraries(gRPC::gpr INTERFACE
    absl::base absl::core_headers absl::memory absl::random_random absl::status absl::str_format
    absl::strings absl::synchronization absl::time
    Threads::Threads ${CMAKE_DL_LIBS}
    $<$<PLATFORM_ID:Windows>:ws2_32> $<$<PLATFORM_ID:Windows>:dbghelp>)
  target_link_libraries(gRPC::grpc_unsecure INTERFACE
    gRPC::address_sorting gRPC::upb gRPC::gpr re2::re2 ZLIB::ZLIB
    absl::any_invocable absl::bind_front absl::cleanup absl::flat_hash_map absl::flat_hash_set
    absl::function_ref absl::hash absl::inlined_vector absl::optional absl::span absl::statusor
    absl::type_traits absl::utility absl::variant
    $<$<PLATFORM_ID:Windows>:iphlpapi> $<$<PLATFORM_ID:Windows>:ws2_32>
    $<$<PLATFORM_ID:Windows>:crypt32>)
  target_link_libraries(gRPC::grpc++_unsecure INTERFACE
    gRPC::grpc_unsecure protobuf::libprotobuf)
  add_library(gRPC::grpc++ ALIAS gRPC::grpc++_unsecure)
  add_library(gRPC::grpc++_reflection ALIAS gRPC::grpc++_unsecure)

  # The generator runs on this machine.
  find_program(gRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
  add_executable(gRPC::grpc_cpp_plugin IMPORTED)
  set_target_properties(gRPC::grpc_cpp_plugin PROPERTIES IMPORTED_LOCATION ${gRPC_CPP_PLUGIN})
endif()

# SPDX-License-Identifier: Apache-2.0
# Every third-party package, found once, here. All come from the system's packages except ONNX
# Runtime, which scripts/setup fetches when the system has none (see scripts/fetch-onnxruntime).
# When a toolchain file of cmake/toolchains builds for another system, all come from what
# packaging/dependencies/build has built for that system.

find_package(Threads REQUIRED)
find_package(Protobuf CONFIG QUIET)
if(NOT Protobuf_FOUND)
  find_package(Protobuf REQUIRED)
endif()
if(NOT TARGET protobuf::protoc)  # built for another system: the generator is this one's
  find_program(Protobuf_PROTOC_EXECUTABLE protoc REQUIRED)
  add_executable(protobuf::protoc IMPORTED)
  set_target_properties(protobuf::protoc PROPERTIES IMPORTED_LOCATION ${Protobuf_PROTOC_EXECUTABLE})
endif()
find_package(gRPC CONFIG REQUIRED)
find_package(absl CONFIG REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(nanoflann REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(tinyobjloader REQUIRED)
find_package(ZLIB REQUIRED)

if(BLENDWIRE_TESTS)
  find_package(GTest REQUIRED)
endif()

# ONNX Runtime: what scripts/setup unpacked wins, so that every machine runs the same release.
if(NOT CMAKE_CROSSCOMPILING)
  list(APPEND CMAKE_PREFIX_PATH ${CMAKE_CURRENT_SOURCE_DIR}/.deps/onnxruntime)
endif()
find_package(OnnxRuntime REQUIRED)

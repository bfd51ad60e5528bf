# SPDX-License-Identifier: Apache-2.0
# The three kinds of target the project has, so that each folder's CMakeLists.txt only lists names.

# Warnings are errors in CI only (.ci/run): a compiler newer than ours, with new warnings, must not
# keep anybody from building.
add_library(blendwire_options INTERFACE)
target_compile_options(blendwire_options INTERFACE
  $<$<CXX_COMPILER_ID:GNU,Clang,AppleClang>:-Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wsign-conversion -Wnon-virtual-dtor>
  # It takes a reference that a function was given for one into a temporary argument beside it.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_GREATER_EQUAL:$<CXX_COMPILER_VERSION>,13>>:-Wno-dangling-reference>
  $<$<CXX_COMPILER_ID:MSVC>:/W4 /utf-8>)
if(BLENDWIRE_SANITIZE)
  add_compile_definitions(BLENDWIRE_SANITIZED)
  add_compile_options(-fsanitize=${BLENDWIRE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${BLENDWIRE_SANITIZE})
endif()

# Programs under ThreadSanitizer tell it what the system's abseil does.
function(blendwire_tell_thread_sanitizer target)
  if(BLENDWIRE_SANITIZE MATCHES "thread")
    target_sources(${target} PRIVATE
      ${PROJECT_SOURCE_DIR}/tests/sanitizers/absl_for_thread_sanitizer.cc)
    target_link_libraries(${target} PRIVATE gRPC::grpc++ absl::synchronization ${CMAKE_DL_LIBS})
  endif()
endfunction()

# blendwire_library(NAME SOURCES ... [DEPS ...] [PRIVATE_DEPS ...])
# A static library blendwire_NAME with the alias blendwire::NAME; includes are relative to src/.
function(blendwire_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;PRIVATE_DEPS")
  add_library(blendwire_${name} STATIC ${arg_SOURCES})
  add_library(blendwire::${name} ALIAS blendwire_${name})
  set_target_properties(blendwire_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(blendwire_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(blendwire_${name} PUBLIC ${arg_DEPS}
                        PRIVATE ${arg_PRIVATE_DEPS} blendwire_options)
endfunction()

# blendwire_program(NAME OUTPUT file-name SOURCES ... DEPS ...)
function(blendwire_program name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT" "SOURCES;DEPS")
  add_executable(blendwire_${name} ${arg_SOURCES})
  set_target_properties(blendwire_${name} PROPERTIES OUTPUT_NAME ${arg_OUTPUT})
  target_include_directories(blendwire_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(blendwire_${name} PRIVATE ${arg_DEPS} blendwire_options)
  blendwire_tell_thread_sanitizer(blendwire_${name})
endfunction()

# blendwire_test(NAME SOURCES ... DEPS ... [LABELS ...])
# One GoogleTest program; each of its tests becomes one ctest entry.
function(blendwire_test name)
  if(NOT BLENDWIRE_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPS;LABELS")
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(${name} PRIVATE ${arg_DEPS} GTest::gmock_main blendwire_options)
  blendwire_tell_thread_sanitizer(${name})
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES TIMEOUT 120 LABELS "${arg_LABELS}")
endfunction()

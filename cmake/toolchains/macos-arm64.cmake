# SPDX-License-Identifier: Apache-2.0
# macOS on Apple's processors. zig has macOS's C library, but nothing else of Apple's SDK.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(CMAKE_OSX_SYSROOT "" CACHE STRING "" FORCE)
set(CMAKE_USER_MAKE_RULES_OVERRIDE ${CMAKE_CURRENT_LIST_DIR}/macos-rpath.cmake)
set(blendwire_dist_target macos-arm64)
set(blendwire_dist_flags "-DABSL_WITHOUT_COREFOUNDATION")  # see packaging/dependencies/patches
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
foreach(kind IN ITEMS EXE SHARED)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-Wl,-dead_strip")
endforeach()
# Libraries lie beside the programs.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "@loader_path")

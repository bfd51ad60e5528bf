# SPDX-License-Identifier: Apache-2.0
# Any Linux with the C library of 2018 (glibc 2.28) or later, x64.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(blendwire_dist_target linux-x64)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
foreach(kind IN ITEMS EXE SHARED)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-s -Wl,--gc-sections")
endforeach()
# Libraries lie beside the programs.
set(CMAKE_BUILD_WITH_INSTALL_RPATH ON)
set(CMAKE_INSTALL_RPATH "\$ORIGIN")

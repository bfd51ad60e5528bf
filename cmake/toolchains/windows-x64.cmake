# SPDX-License-Identifier: Apache-2.0
# Windows 10 and later, x64.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(blendwire_dist_target windows-x64)
set(blendwire_dist_flags "-D_WIN32_WINNT=0x0a00 -DNOMINMAX -DWIN32_LEAN_AND_MEAN")
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
foreach(kind IN ITEMS EXE SHARED)
  set(CMAKE_${kind}_LINKER_FLAGS_INIT "-s -Wl,--gc-sections")
endforeach()

# SPDX-License-Identifier: Apache-2.0
# Included by the toolchain files beside it, which say what to build for: zig as a compiler for other
# systems, and what packaging/dependencies/build has built for that system.
#
#   blendwire_dist_target  the name that scripts/dist knows it by
#   blendwire_dist_flags   for C and C++

set(blendwire_dist ${CMAKE_CURRENT_LIST_DIR}/../../.deps/dist)
set(compiler ${blendwire_dist}/compilers/${blendwire_dist_target})
foreach(language IN ITEMS C CXX)
  set(CMAKE_${language}_COMPILER_AR ${compiler}/ar)
  set(CMAKE_${language}_COMPILER_RANLIB ${compiler}/ranlib)
endforeach()
set(CMAKE_C_COMPILER ${compiler}/cc)
set(CMAKE_CXX_COMPILER ${compiler}/c++)
set(CMAKE_AR ${compiler}/ar CACHE FILEPATH "")
set(CMAKE_RANLIB ${compiler}/ranlib CACHE FILEPATH "")
set(CMAKE_RC_COMPILER ${compiler}/rc)

# zig adds undefined-behaviour traps and debug information unless it is told not to.
set(CMAKE_C_FLAGS_INIT "${blendwire_dist_flags} -fno-sanitize=all -g0 -ffunction-sections -fdata-sections -fvisibility=hidden")
set(CMAKE_CXX_FLAGS_INIT "${CMAKE_C_FLAGS_INIT}")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG" CACHE STRING "")

# Only what was built for that system is used, through its own package files.
set(CMAKE_FIND_ROOT_PATH ${blendwire_dist}/${blendwire_dist_target})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_FIND_PACKAGE_PREFER_CONFIG ON)

# Tests cannot be asked for their names while they are built.
set(CMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE PRE_TEST)

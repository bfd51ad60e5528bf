# SPDX-License-Identifier: Apache-2.0
# Included after CMake's own rules for macOS, which ask a running macOS for its version, and without an
# answer take it for one so old that it has no rpaths.
set(CMAKE_SHARED_LIBRARY_RUNTIME_C_FLAG "-Wl,-rpath,")

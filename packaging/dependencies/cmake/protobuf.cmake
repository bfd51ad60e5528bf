# SPDX-License-Identifier: Apache-2.0
# Included at the end of protobuf's project() command: precompiled headers.

set(precompiled ${CMAKE_CURRENT_LIST_DIR}/protobuf_precompiled.h)
function(blendwire_extend_protobuf)
  target_precompile_headers(libprotobuf PRIVATE $<$<COMPILE_LANGUAGE:CXX>:${precompiled}>)
endfunction()
cmake_language(DEFER CALL blendwire_extend_protobuf)

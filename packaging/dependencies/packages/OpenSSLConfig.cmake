# SPDX-License-Identifier: Apache-2.0
# The little of OpenSSL's API that Blendwire uses, see packaging/dependencies/cmake/sha256.
if(NOT TARGET OpenSSL::Crypto)
  get_filename_component(prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
  add_library(OpenSSL::Crypto STATIC IMPORTED)
  set_target_properties(OpenSSL::Crypto PROPERTIES
    IMPORTED_LOCATION ${prefix}/lib/libsha256.a
    INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
endif()

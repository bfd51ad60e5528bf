# SPDX-License-Identifier: Apache-2.0
if(NOT TARGET ZLIB::ZLIB)
  get_filename_component(prefix ${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
  add_library(ZLIB::ZLIB STATIC IMPORTED)
  set_target_properties(ZLIB::ZLIB PROPERTIES
    IMPORTED_LOCATION ${prefix}/lib/libz.a
    INTERFACE_INCLUDE_DIRECTORIES ${prefix}/include)
endif()

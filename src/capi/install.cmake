# SPDX-License-Identifier: Apache-2.0
# What a program that uses the client finds after `cmake --install . --component client`: headers,
# libraries, a CMake package (find_package(blendwire), targets blendwire::capi and blendwire::client)
# and pkg-config files (blendwire-client for the C API, blendwire-cpp for C++).

include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/blendwire)
set(cpp_targets blendwire_client blendwire_system blendwire_contract blendwire_conventions)

# In the build tree headers lie where the sources do; installed, they are below include/blendwire,
# which is a search path, too, since they include each other as "client/options.h".
foreach(target IN LISTS cpp_targets)
  get_target_property(folders ${target} INTERFACE_INCLUDE_DIRECTORIES)
  set_property(TARGET ${target} PROPERTY INTERFACE_INCLUDE_DIRECTORIES
    "$<BUILD_INTERFACE:${folders}>"
    "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR};${CMAKE_INSTALL_INCLUDEDIR}/blendwire>")
endforeach()
# Generated code is not held to our warnings.
set_property(TARGET blendwire_contract PROPERTY INTERFACE_SYSTEM_INCLUDE_DIRECTORIES
  "$<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/proto>")
set_target_properties(blendwire_system PROPERTIES EXPORT_NAME system)
set_target_properties(blendwire_contract PROPERTIES EXPORT_NAME contract)
set_target_properties(blendwire_conventions PROPERTIES EXPORT_NAME conventions)
set_target_properties(blendwire_options PROPERTIES EXPORT_NAME options)

install(TARGETS blendwire_capi EXPORT blendwire-capi
  RUNTIME COMPONENT client LIBRARY COMPONENT client ARCHIVE COMPONENT client)
set(exports blendwire-capi)
set(packages blendwire-client)
set(cpp_headers)
# A static library only fits the compiler and the gRPC that it was made with: a release for other
# systems has the C API alone.
if(NOT CMAKE_CROSSCOMPILING)
  install(TARGETS ${cpp_targets} blendwire_options EXPORT blendwire-cpp ARCHIVE COMPONENT client)
  list(APPEND exports blendwire-cpp)
  list(APPEND packages blendwire-cpp)
  set(cpp_headers
    client/cancellation.h client/client.h client/connection.h client/managed_server.h
    client/options.h client/types.h client/testing/mock_connection.h)
endif()
foreach(export IN LISTS exports)
  install(EXPORT ${export} NAMESPACE blendwire:: DESTINATION ${package_folder} COMPONENT client)
endforeach()

install(FILES ${CMAKE_CURRENT_LIST_DIR}/blendwire.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT client)
foreach(header IN LISTS cpp_headers)
  get_filename_component(folder ${header} DIRECTORY)
  install(FILES ${PROJECT_SOURCE_DIR}/src/${header}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/blendwire/${folder} COMPONENT client)
endforeach()

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/blendwireConfig.cmake.in blendwireConfig.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(blendwireConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES
  ${CMAKE_CURRENT_BINARY_DIR}/blendwireConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/blendwireConfigVersion.cmake
  DESTINATION ${package_folder} COMPONENT client)

foreach(package IN LISTS packages)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${package}.pc.in ${package}.pc @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${package}.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT client)
endforeach()

# SPDX-License-Identifier: Apache-2.0
# cmake -DBUILD=build -DEXAMPLES=examples -DWORK=folder -DSERVER=program -P install_test.cmake
# Installs the client, builds the examples against what was installed, as projects of their own,
# and runs them with SERVER.

file(REMOVE_RECURSE ${WORK})
set(prefix ${WORK}/prefix)

function(run)
  execute_process(COMMAND ${ARGV} OUTPUT_VARIABLE output ERROR_VARIABLE output
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}: ${result}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --component client --prefix ${prefix})
foreach(example IN ITEMS c cpp)
  run(${CMAKE_COMMAND} -S ${EXAMPLES}/${example} -B ${WORK}/${example}
      -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_BUILD_TYPE=Debug)
  run(${CMAKE_COMMAND} --build ${WORK}/${example})
endforeach()

run(${WORK}/c/predict ${SERVER})
if(NOT output STREQUAL "0 0 0\n0.5 0 0\n0 0.5 0\n0 0 0.5\n")
  message(FATAL_ERROR "the example in C printed:\n${output}")
endif()
run(${WORK}/cpp/visemes ${SERVER})
if(NOT output MATCHES "3 of 3\n4 offsets from model 1.2\n")
  message(FATAL_ERROR "the example in C++ printed:\n${output}")
endif()

# pkg-config, moved to where the files are now.
find_program(pkg_config pkg-config)
if(pkg_config)
  file(GLOB_RECURSE pc_files ${prefix}/*.pc)
  list(GET pc_files 0 first)
  get_filename_component(folder ${first} DIRECTORY)
  set(ENV{PKG_CONFIG_PATH} ${folder})
  run(${pkg_config} --define-variable=prefix=${prefix} --cflags --libs blendwire-client)
  separate_arguments(flags UNIX_COMMAND "${output}")
  run(cc ${EXAMPLES}/c/predict.c -o ${WORK}/predict_pc ${flags})
endif()

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

# What each example prints with the fake server, whose offsets are coordinate * intensity.
function(expect printed)
  if(NOT output STREQUAL printed)
    message(FATAL_ERROR "an example printed:\n${output}\ninstead of:\n${printed}")
  endif()
endfunction()

run(${WORK}/c/predict ${SERVER})
expect("0 0 0\n0.5 0 0\n0 0.5 0\n0 0 0.5\n")
run(${WORK}/c/batch ${SERVER})
expect("1 of 3: oh\n2 of 3: E\n3 of 3: aa\naa: OK\nE: OK\noh: OK\n")
run(${WORK}/cpp/visemes ${SERVER})
string(REPEAT "4 offsets from model 1.2\n" 3 lines)
expect("1 of 3\n2 of 3\n3 of 3\n${lines}")
run(${WORK}/cpp/calls ${SERVER})
string(CONCAT expected
  "in place: 4 vertices\n"
  "meanwhile ...\nfuture: 12 floats\n"
  "callback: OK\n"
  "batch: CANCELLED\n"
  "the server has answered requests: yes\n")
expect("${expected}")
if(EXISTS ${WORK}/cpp/mock_test)
  run(${WORK}/cpp/mock_test)
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

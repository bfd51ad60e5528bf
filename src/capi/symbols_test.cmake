# SPDX-License-Identifier: Apache-2.0
# cmake -DNM=nm -DLIBRARY=libblendwire_client.so -DHEADER=blendwire.h -P symbols_test.cmake
# The library shows every function of its header, and nothing else.

execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY}
  OUTPUT_VARIABLE output COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" lines "${output}")
set(shown)
foreach(line IN LISTS lines)
  string(REGEX REPLACE "^[0-9a-f]* *([A-Za-z]) ([^@ ]*).*$" "\\1;\\2" parts "${line}")
  list(GET parts 0 kind)
  list(GET parts 1 name)
  if(NOT kind STREQUAL "A")  # the name of the version itself
    list(APPEND shown ${name})
  endif()
endforeach()

file(READ ${HEADER} header)
string(REGEX MATCHALL "BLENDWIRE_API [^;(]*[ *]blendwire_[a-z_]+\\(" declarations "${header}")
set(declared)
foreach(declaration IN LISTS declarations)
  string(REGEX REPLACE ".*[ *\n](blendwire_[a-z_]+)\\($" "\\1" name "${declaration}")
  list(APPEND declared ${name})
endforeach()

list(SORT shown)
list(SORT declared)
list(LENGTH declared count)
if(count LESS 50)
  message(FATAL_ERROR "only ${count} functions were found in the header")
endif()
if(NOT shown STREQUAL declared)
  set(extra ${shown})
  list(REMOVE_ITEM extra ${declared})
  set(missing ${declared})
  list(REMOVE_ITEM missing ${shown})
  message(FATAL_ERROR "shown but not declared: ${extra}\ndeclared but not shown: ${missing}")
endif()
message(STATUS "${count} functions shown, nothing else")

# SPDX-License-Identifier: Apache-2.0
# Finds ONNX Runtime's C/C++ API: target OnnxRuntime::OnnxRuntime.

find_path(OnnxRuntime_INCLUDE_DIR onnxruntime_cxx_api.h
          PATH_SUFFIXES onnxruntime onnxruntime/core/session include/onnxruntime)
find_library(OnnxRuntime_LIBRARY NAMES onnxruntime)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OnnxRuntime
  REQUIRED_VARS OnnxRuntime_LIBRARY OnnxRuntime_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run scripts/setup, or install your system's ONNX Runtime development package")

if(OnnxRuntime_FOUND AND NOT TARGET OnnxRuntime::OnnxRuntime)
  add_library(OnnxRuntime::OnnxRuntime UNKNOWN IMPORTED)
  set_target_properties(OnnxRuntime::OnnxRuntime PROPERTIES
    IMPORTED_LOCATION ${OnnxRuntime_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${OnnxRuntime_INCLUDE_DIR})
  if(WIN32 AND NOT MSVC)
    # A spelling in its headers that only Microsoft's compiler knows.
    set_property(TARGET OnnxRuntime::OnnxRuntime PROPERTY
      INTERFACE_COMPILE_OPTIONS "-D_Return_type_success_(x)=")
  endif()
endif()
mark_as_advanced(OnnxRuntime_INCLUDE_DIR OnnxRuntime_LIBRARY)

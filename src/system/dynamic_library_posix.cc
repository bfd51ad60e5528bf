// SPDX-License-Identifier: Apache-2.0

#include <dlfcn.h>

#include "system/dynamic_library.h"

namespace blendwire::system {

std::unique_ptr<DynamicLibrary> DynamicLibrary::Open(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
      return std::unique_ptr<DynamicLibrary>(new DynamicLibrary(handle));
    }
  }
  return nullptr;
}

DynamicLibrary::~DynamicLibrary() { dlclose(handle_); }

void* DynamicLibrary::Symbol(const char* name) const { return dlsym(handle_, name); }

}  // namespace blendwire::system

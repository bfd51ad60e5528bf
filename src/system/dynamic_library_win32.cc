// SPDX-License-Identifier: Apache-2.0

#include "system/dynamic_library.h"
#include "system/win32.h"

namespace blendwire::system {

// Only where Windows keeps its own libraries and those of drivers: not in the current folder, where
// anybody may have put one of that name.
std::unique_ptr<DynamicLibrary> DynamicLibrary::Open(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (HMODULE handle = LoadLibraryExW(Wide(name).c_str(), nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32)) {
      return std::unique_ptr<DynamicLibrary>(new DynamicLibrary(handle));
    }
  }
  return nullptr;
}

DynamicLibrary::~DynamicLibrary() { FreeLibrary(static_cast<HMODULE>(handle_)); }

void* DynamicLibrary::Symbol(const char* name) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name));
}

}  // namespace blendwire::system

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_DYNAMIC_LIBRARY_H_
#define BLENDWIRE_SYSTEM_DYNAMIC_LIBRARY_H_

#include <initializer_list>
#include <memory>

namespace blendwire::system {

// A shared library that is looked for at run time.
class DynamicLibrary {
 public:
  // The first of `names` that the system finds; null if it finds none.
  static std::unique_ptr<DynamicLibrary> Open(std::initializer_list<const char*> names);

  ~DynamicLibrary();
  DynamicLibrary(const DynamicLibrary&) = delete;
  DynamicLibrary& operator=(const DynamicLibrary&) = delete;

  // Whether the library has a function of that name; `function` is it then.
  template <typename Function>
  bool Find(const char* name, Function*& function) const {
    function = reinterpret_cast<Function*>(Symbol(name));
    return function != nullptr;
  }

 private:
  explicit DynamicLibrary(void* handle) : handle_(handle) {}
  void* Symbol(const char* name) const;

  void* handle_;
};

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_DYNAMIC_LIBRARY_H_

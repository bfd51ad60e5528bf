// SPDX-License-Identifier: Apache-2.0
//
// operator new and delete that only this library sees, for macOS' linkers that show those of a static
// C++ library whatever they are told: a host would take them for its own. Compiled with
// -fvisibility-global-new-delete=force-hidden. All of them are here, since one that is missing would
// bring the others back.

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace {

void* AllocateOnce(std::size_t size, std::size_t alignment) {
  size = std::max<std::size_t>(size, 1);
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
  void* memory = nullptr;
  return posix_memalign(&memory, alignment, size) == 0 ? memory : nullptr;
}

// As the standard asks: the handler may make room; without one there is no memory.
void* Allocate(std::size_t size, std::size_t alignment = 0) {
  while (true) {
    if (void* memory = AllocateOnce(size, alignment)) return memory;
    const std::new_handler handler = std::get_new_handler();
    if (handler == nullptr) throw std::bad_alloc();
    handler();
  }
}

void* AllocateOrNull(std::size_t size, std::size_t alignment = 0) noexcept {
  try {
    return Allocate(size, alignment);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

std::size_t Number(std::align_val_t alignment) { return static_cast<std::size_t>(alignment); }

}  // namespace

using std::align_val_t;
using std::nothrow_t;
using std::size_t;

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void* operator new(size_t size, align_val_t at) { return Allocate(size, Number(at)); }
void* operator new[](size_t size, align_val_t at) { return Allocate(size, Number(at)); }
void* operator new(size_t size, const nothrow_t&) noexcept { return AllocateOrNull(size); }
void* operator new[](size_t size, const nothrow_t&) noexcept { return AllocateOrNull(size); }
void* operator new(size_t size, align_val_t at, const nothrow_t&) noexcept {
  return AllocateOrNull(size, Number(at));
}
void* operator new[](size_t size, align_val_t at, const nothrow_t&) noexcept {
  return AllocateOrNull(size, Number(at));
}

void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, const nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, const nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory, align_val_t, const nothrow_t&) noexcept { std::free(memory); }
void operator delete[](void* memory, align_val_t, const nothrow_t&) noexcept { std::free(memory); }

// SPDX-License-Identifier: Apache-2.0
//
// ThreadSanitizer cannot see into the system's abseil, which is built without it: it takes whatever
// absl::Mutex guards for a race. Programs that link this file have their own entry points of Mutex,
// CondVar and Notification, which tell it about the order that the real ones establish; gRPC's
// shared libraries then use them, too. Only for -fsanitize=thread, shared abseil and Linux.

#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "grpc/grpc.h"

#define BLENDWIRE_EXPORTED __attribute__((visibility("default")))

namespace {

// The function of the same name in abseil's library.
template <typename Method>
void* RealOf(Method method) {
  void* own = nullptr;  // a pointer to a method that is not virtual begins with its address
  std::memcpy(&own, &method, sizeof(own));
  Dl_info info;
  if (dladdr(own, &info) != 0 && info.dli_sname != nullptr) {
    if (void* const real = dlsym(RTLD_NEXT, info.dli_sname)) return real;
  }
  std::fputs("abseil's own synchronization functions were not found\n", stderr);
  std::abort();
}

// gRPC hands a call from the thread that starts it to its own threads without a lock. Their first
// lock is taken for the order of all calls that were started until then.
char calls_started = 0;

template <typename Result, typename Object, typename... Arguments>
Result CallReal(void* real, Object* object, Arguments... arguments) {
  return reinterpret_cast<Result (*)(Object*, Arguments...)>(real)(object, arguments...);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

BLENDWIRE_EXPORTED void Mutex::Lock() {
  static void* const real = RealOf(&Mutex::Lock);
  CallReal<void>(real, this);
  __tsan_acquire(this);
  __tsan_acquire(&calls_started);
}

BLENDWIRE_EXPORTED void Mutex::Unlock() {
  static void* const real = RealOf(&Mutex::Unlock);
  __tsan_release(this);
  CallReal<void>(real, this);
}

BLENDWIRE_EXPORTED bool Mutex::TryLock() {
  static void* const real = RealOf(&Mutex::TryLock);
  const bool locked = CallReal<bool>(real, this);
  if (locked) __tsan_acquire(this);
  return locked;
}

BLENDWIRE_EXPORTED void Mutex::ReaderLock() {
  static void* const real = RealOf(&Mutex::ReaderLock);
  CallReal<void>(real, this);
  __tsan_acquire(this);
}

BLENDWIRE_EXPORTED void Mutex::ReaderUnlock() {
  static void* const real = RealOf(&Mutex::ReaderUnlock);
  __tsan_release(this);
  CallReal<void>(real, this);
}

// The real ones look at the condition before they return, which is before the order is known.
BLENDWIRE_EXPORTED void Mutex::Await(const Condition& condition) {
  AwaitWithTimeout(condition, InfiniteDuration());
}

BLENDWIRE_EXPORTED bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  return AwaitWithDeadline(condition, Now() + timeout);
}

BLENDWIRE_EXPORTED bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  while (!condition.Eval()) {
    if (Now() >= deadline) return false;
    Unlock();
    SleepFor(Microseconds(200));
    Lock();
  }
  return true;
}

BLENDWIRE_EXPORTED void CondVar::Wait(Mutex* mutex) {
  static void* const real = RealOf(&CondVar::Wait);
  __tsan_release(mutex);
  CallReal<void>(real, this, mutex);
  __tsan_acquire(mutex);
}

BLENDWIRE_EXPORTED bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  static void* const real = RealOf(&CondVar::WaitWithTimeout);
  __tsan_release(mutex);
  const bool result = CallReal<bool>(real, this, mutex, timeout);
  __tsan_acquire(mutex);
  return result;
}

// HasBeenNotified() is inline: what it reads lies behind the mutex.
BLENDWIRE_EXPORTED void Notification::Notify() {
  static void* const real = RealOf(&Notification::Notify);
  __tsan_release(this);
  __tsan_release(reinterpret_cast<char*>(this) + sizeof(Mutex));
  CallReal<void>(real, this);
}

BLENDWIRE_EXPORTED void Notification::WaitForNotification() const {
  static void* const real = RealOf(&Notification::WaitForNotification);
  CallReal<void>(real, this);
  __tsan_acquire(const_cast<Notification*>(this));
}

BLENDWIRE_EXPORTED bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static void* const real = RealOf(&Notification::WaitForNotificationWithTimeout);
  const bool notified = CallReal<bool>(real, this, timeout);
  if (notified) __tsan_acquire(const_cast<Notification*>(this));
  return notified;
}

ABSL_NAMESPACE_END
}  // namespace absl

extern "C" BLENDWIRE_EXPORTED grpc_call_error grpc_call_start_batch(grpc_call* call,
                                                                    const grpc_op* operations,
                                                                    size_t count, void* tag,
                                                                    void* reserved) {
  static void* const real = dlsym(RTLD_NEXT, "grpc_call_start_batch");
  __tsan_release(&calls_started);
  return CallReal<grpc_call_error>(real, call, operations, count, tag, reserved);
}

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_INTERNAL_CALL_TRACKER_H_
#define BLENDWIRE_CLIENT_INTERNAL_CALL_TRACKER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "client/cancellation.h"

namespace blendwire::client {

// Marks the current thread as running a caller's callback, in which waiting for other calls could
// wait for ever: their callbacks may be due on this very thread.
class CallbackScope {
 public:
  CallbackScope();
  ~CallbackScope();
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;

  static bool Active();
};

// The calls of one connection that have not ended, so that they can be ended with it.
class CallTracker : public std::enable_shared_from_this<CallTracker> {
 public:
  // A call that is about to start. The result must be called when it has ended, its callback
  // included.
  std::function<void()> Begin(uint64_t* id);

  // How to cancel a call that has begun. Also runs when `cancellation` is thrown, until the call has
  // ended. Does nothing if the call has ended already.
  void SetCancel(uint64_t id, const Cancellation& cancellation, std::function<void()> cancel);

  // Cancels every call, also those whose SetCancel is still to come.
  void CancelAll();

  // Returns when no call is left. Not for use inside a callback.
  void AwaitEnd();

 private:
  struct Call {
    std::function<void()> cancel;
    std::function<void()> forget;  // undoes Cancellation::OnCancel
  };

  void End(uint64_t id);

  absl::Mutex mutex_;
  bool shut_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t next_id_ ABSL_GUARDED_BY(mutex_) = 1;
  std::map<uint64_t, Call> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_CALL_TRACKER_H_

// SPDX-License-Identifier: Apache-2.0

#include "client/internal/call_tracker.h"

#include <utility>
#include <vector>

namespace blendwire::client {
namespace {

thread_local int callback_depth = 0;

}  // namespace

CallbackScope::CallbackScope() { ++callback_depth; }
CallbackScope::~CallbackScope() { --callback_depth; }
bool CallbackScope::Active() { return callback_depth > 0; }

std::function<void()> CallTracker::Begin(uint64_t* id) {
  absl::MutexLock lock(&mutex_);
  *id = next_id_++;
  calls_.emplace(*id, Call{});
  return [self = shared_from_this(), call = *id] { self->End(call); };
}

void CallTracker::SetCancel(uint64_t id, const Cancellation& cancellation,
                            std::function<void()> cancel) {
  const uint64_t action = cancellation.OnCancel(cancel);
  std::function<void()> cancel_now;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = calls_.find(id);
    if (found != calls_.end()) {
      found->second.forget = [cancellation, action] { cancellation.Forget(action); };
      (shut_ ? cancel_now : found->second.cancel) = std::move(cancel);
    } else {
      cancellation.Forget(action);
      return;
    }
  }
  if (cancel_now) cancel_now();
}

void CallTracker::End(uint64_t id) {
  Call call;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    call = std::move(found->second);
    calls_.erase(found);
  }
  if (call.forget) call.forget();
}

void CallTracker::CancelAll() {
  std::vector<std::function<void()>> cancels;
  {
    absl::MutexLock lock(&mutex_);
    shut_ = true;
    for (const auto& [id, call] : calls_) {
      if (call.cancel) cancels.push_back(call.cancel);
    }
  }
  for (const auto& cancel : cancels) cancel();
}

void CallTracker::AwaitEnd() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(
      +[](std::map<uint64_t, Call>* calls) { return calls->empty(); }, &calls_));
}

}  // namespace blendwire::client

// SPDX-License-Identifier: Apache-2.0

#include "client/cancellation.h"

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace blendwire {

struct Cancellation::State {
  absl::Mutex mutex;
  bool cancelled ABSL_GUARDED_BY(mutex) = false;
  uint64_t next_id ABSL_GUARDED_BY(mutex) = 1;
  std::map<uint64_t, std::function<void()>> actions ABSL_GUARDED_BY(mutex);
};

Cancellation::Cancellation() : state_(std::make_shared<State>()) {}

void Cancellation::Cancel() const {
  std::map<uint64_t, std::function<void()>> actions;
  {
    absl::MutexLock lock(&state_->mutex);
    state_->cancelled = true;
    actions.swap(state_->actions);
  }
  // Outside the lock: an action may end a call whose callback uses this switch again.
  for (const auto& [id, action] : actions) action();
}

bool Cancellation::cancelled() const {
  absl::MutexLock lock(&state_->mutex);
  return state_->cancelled;
}

uint64_t Cancellation::OnCancel(std::function<void()> action) const {
  {
    absl::MutexLock lock(&state_->mutex);
    if (!state_->cancelled) {
      const uint64_t id = state_->next_id++;
      state_->actions.emplace(id, std::move(action));
      return id;
    }
  }
  action();
  return 0;
}

void Cancellation::Forget(uint64_t id) const {
  std::function<void()> dropped;  // destroyed outside the lock, with whatever it holds
  absl::MutexLock lock(&state_->mutex);
  const auto found = state_->actions.find(id);
  if (found == state_->actions.end()) return;
  dropped = std::move(found->second);
  state_->actions.erase(found);
}

}  // namespace blendwire

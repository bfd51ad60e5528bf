// SPDX-License-Identifier: Apache-2.0

#include "client/internal/pool_transport.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace blendwire::client {

// Apart from the transport, because a try can end after the transport is gone.
struct PoolTransport::Loads {
  explicit Loads(size_t members) : running(members, 0) {}

  size_t Take() {
    absl::MutexLock lock(&mutex);
    const auto least = std::min_element(running.begin(), running.end());
    ++*least;
    return static_cast<size_t>(least - running.begin());
  }

  void Release(size_t member) {
    absl::MutexLock lock(&mutex);
    --running[member];
  }

  absl::Mutex mutex;
  std::vector<int> running ABSL_GUARDED_BY(mutex);
};

PoolTransport::PoolTransport(std::vector<std::unique_ptr<Transport>> members)
    : members_(std::move(members)), loads_(std::make_shared<Loads>(members_.size())) {}

std::function<void()> PoolTransport::Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                                           StatusFunction done) {
  const size_t member = loads_->Take();
  return members_[member]->Start(
      std::move(rpc), std::move(attempt),
      [loads = loads_, member, done = std::move(done)](absl::Status status) {
        loads->Release(member);
        done(std::move(status));
      });
}

}  // namespace blendwire::client

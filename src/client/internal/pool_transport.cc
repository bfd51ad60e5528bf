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

  size_t Take(int weight) {
    absl::MutexLock lock(&mutex);
    const auto least = std::min_element(running.begin(), running.end());
    *least += weight;
    return static_cast<size_t>(least - running.begin());
  }

  void Release(size_t member, int weight) {
    absl::MutexLock lock(&mutex);
    running[member] -= weight;
  }

  absl::Mutex mutex;
  std::vector<int> running ABSL_GUARDED_BY(mutex);
};

PoolTransport::PoolTransport(std::vector<std::unique_ptr<Transport>> members)
    : members_(std::move(members)), loads_(std::make_shared<Loads>(members_.size())) {}

std::function<void()> PoolTransport::Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                                           StatusFunction done) {
  const int weight = attempt.idle ? 0 : 1;
  const size_t member = loads_->Take(weight);
  return members_[member]->Start(
      std::move(rpc), std::move(attempt),
      [loads = loads_, member, weight, done = std::move(done)](absl::Status status) {
        loads->Release(member, weight);
        done(std::move(status));
      });
}

}  // namespace blendwire::client

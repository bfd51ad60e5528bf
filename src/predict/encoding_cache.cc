// SPDX-License-Identifier: Apache-2.0

#include "predict/encoding_cache.h"

#include <algorithm>
#include <utility>

namespace blendwire::predict {

struct EncodingCache::Entry {
  std::weak_ptr<const DerivedMesh> mesh;
  std::string model_sha256;
  size_t bytes = 0;
  std::shared_ptr<const Encoding> encoding;  // none: somebody has the turn
};

EncodingCache::Turn::~Turn() {
  if (entry_ != nullptr) cache_->Finish(entry_, nullptr);
}

void EncodingCache::Turn::Keep(std::shared_ptr<const Encoding> encoding) {
  cache_->Finish(std::exchange(entry_, nullptr), std::move(encoding));
}

EncodingCache::Lookup EncodingCache::Get(const Mesh& mesh, absl::string_view model_sha256,
                                         size_t bytes, std::stop_token stop) {
  if (bytes > max_bytes_) return {};
  auto wanted = std::make_shared<Entry>(Entry{mesh, std::string(model_sha256), bytes, nullptr});
  // Both outlive the lock: the one takes it when called, the other may free much.
  const std::stop_callback wake(stop, [this] {
    absl::MutexLock lock(&mutex_);
    changed_.SignalAll();
  });
  Entries dropped;
  absl::MutexLock lock(&mutex_);
  auto found = Find(mesh, model_sha256);
  while (found != entries_.end() && (*found)->encoding == nullptr) {
    if (stop.stop_requested()) return {};
    changed_.Wait(&mutex_);
    found = Find(mesh, model_sha256);
  }
  if (found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
    return {(*found)->encoding, std::nullopt};
  }
  MakeRoom(bytes, dropped);
  used_ += bytes;
  entries_.push_front(wanted);
  return {nullptr, Turn(*this, std::move(wanted))};
}

void EncodingCache::Finish(const std::shared_ptr<Entry>& entry,
                           std::shared_ptr<const Encoding> encoding) {
  absl::MutexLock lock(&mutex_);
  if (encoding != nullptr) {
    entry->encoding = std::move(encoding);
  } else {
    used_ -= entry->bytes;
    entries_.remove(entry);
  }
  changed_.SignalAll();
}

EncodingCache::Entries::iterator EncodingCache::Find(const Mesh& mesh,
                                                     absl::string_view model_sha256) {
  return std::find_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry->mesh.lock() == mesh && entry->model_sha256 == model_sha256;
  });
}

// What is being made stays, even if there is less room than wanted then: it is in memory anyway.
void EncodingCache::MakeRoom(size_t bytes, Entries& dropped) {
  const auto is_made = [](const auto& entry) { return entry->encoding != nullptr; };
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto next = std::next(it);
    if (is_made(*it) && (*it)->mesh.expired()) Drop(it, dropped);
    it = next;
  }
  while (used_ + bytes > max_bytes_) {
    const auto last = std::find_if(entries_.rbegin(), entries_.rend(), is_made);
    if (last == entries_.rend()) return;
    Drop(std::prev(last.base()), dropped);
  }
}

void EncodingCache::Drop(Entries::iterator entry, Entries& dropped) {
  used_ -= (*entry)->bytes;
  dropped.splice(dropped.begin(), entries_, entry);
}

size_t EncodingCache::used_bytes() const {
  absl::MutexLock lock(&mutex_);
  return used_;
}

}  // namespace blendwire::predict

// SPDX-License-Identifier: Apache-2.0

#include "capi/job.h"

#include <utility>

#include "client/internal/call_tracker.h"

namespace blendwire::capi {
namespace {

std::vector<const char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<const char*> pointers;
  pointers.reserve(texts.size());
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  return pointers;
}

}  // namespace

ModelList::ModelList(std::vector<ModelInfo> list) : infos(std::move(list)) {
  // Moving the outer vector later leaves the strings where they are.
  for (const ModelInfo& info : infos) {
    condition_slots.push_back(Pointers(info.condition_slots));
    expressions.push_back(Pointers(info.expressions));
  }
}

void Job::RunOnThread(std::function<void()> work) { thread_ = std::thread(std::move(work)); }

void Job::FinishItem(size_t index, ItemResult result) {
  absl::MutexLock lock(&mutex_);
  if (index >= items_.size() || items_[index].has_value()) return;
  items_[index] = std::move(result);
  ++completed_;
  ready_.push_back(index);
}

void Job::Finish(absl::Status status, JobResult result) {
  blendwire_done on_done = nullptr;
  void* user = nullptr;
  blendwire_job* handle = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    if (!status.ok()) message_ = std::string(status.message());
    status_ = std::move(status);
    result_ = std::move(result);
    done_ = true;
    on_done = on_done_;
    user = on_done_user_;
    handle = handle_;
    notifying_ = on_done != nullptr;
  }
  if (on_done == nullptr) return;
  {
    const client::CallbackScope scope;
    on_done(user, handle);
  }
  absl::MutexLock lock(&mutex_);
  notifying_ = false;
}

std::optional<absl::Status> Job::Poll() const {
  absl::MutexLock lock(&mutex_);
  return done_ ? std::optional<absl::Status>(status_) : std::nullopt;
}

std::optional<absl::Status> Job::Wait(absl::Duration timeout) const {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&done_), timeout);
  return done_ ? std::optional<absl::Status>(status_) : std::nullopt;
}

void Job::WaitForItem() const {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(this, &Job::ItemReadyOrDone));
}

bool Job::OnDone(blendwire_done done, void* user, blendwire_job* handle) {
  {
    absl::MutexLock lock(&mutex_);
    if (on_done_ != nullptr) return false;
    on_done_ = done;
    on_done_user_ = user;
    handle_ = handle;
    if (!done_) return true;
  }
  done(user, handle);
  return true;
}

void Job::Release() {
  cancellation_.Cancel();
  // Inside a callback the end of another job may be due on this very thread: no waiting there.
  const bool may_wait = !client::CallbackScope::Active();
  if (may_wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Job::Idle));
  }
  if (!thread_.joinable()) return;
  if (may_wait && thread_.get_id() != std::this_thread::get_id()) {
    thread_.join();
  } else {
    thread_.detach();  // it holds what it needs
  }
}

const char* Job::message() const {
  absl::MutexLock lock(&mutex_);
  return message_.c_str();  // written once
}

size_t Job::completed() const {
  absl::MutexLock lock(&mutex_);
  return completed_;
}

std::optional<size_t> Job::NextItem() {
  absl::MutexLock lock(&mutex_);
  if (ready_.empty()) return std::nullopt;
  const size_t index = ready_.front();
  ready_.pop_front();
  return index;
}

std::optional<Job::ItemResult> Job::Item(size_t index) const {
  absl::MutexLock lock(&mutex_);
  if (items_[index].has_value()) return items_[index];
  if (!done_) return std::nullopt;
  return status_.ok() ? absl::InternalError("the item has no result") : status_;
}

absl::StatusOr<std::shared_ptr<ManagedServer>> Job::TakeServer() {
  const auto found = Result<std::shared_ptr<ManagedServer>>("the start of a server");
  if (!found.ok()) return found.status();
  absl::MutexLock lock(&mutex_);
  auto& server = std::get<std::shared_ptr<ManagedServer>>(result_);
  if (server == nullptr) return absl::FailedPreconditionError("the server has been taken already");
  return std::exchange(server, nullptr);
}

}  // namespace blendwire::capi

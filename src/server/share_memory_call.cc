// SPDX-License-Identifier: Apache-2.0

#include "server/share_memory_call.h"

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "server/call_info.h"
#include "server/shared_regions.h"

namespace blendwire::server {
namespace {

class ShareMemoryCall final : public grpc::ServerWriteReactor<pb::SharedMemoryRegion> {
 public:
  ShareMemoryCall(Core& core, grpc::CallbackServerContext& context,
                  const pb::ShareMemoryRequest& request)
      : core_(core), info_(CallInfo::From("ShareMemory", context)) {
    absl::StatusOr<std::shared_ptr<SharedRegion>> region = core.regions.Open(request.size());
    if (!region.ok()) {
      info_.LogEnd(region.status(), 0);
      Finish(ToGrpc(region.status()));
      return;
    }
    region_ = *std::move(region);
    message_.set_region_id(region_->id());
    message_.set_name(region_->name());
    message_.set_size(static_cast<int64_t>(region_->size()));
    StartWrite(&message_);
    abort_.emplace(core.abort.get_token(), [this] { End(); });
  }

  void OnWriteDone(bool) override {
    FinishIf([this] { written_ = true; });
  }
  void OnCancel() override { End(); }
  void OnDone() override { delete this; }

 private:
  void End() {
    if (region_ == nullptr) return;  // refused
    core_.regions.Close(*region_);
    FinishIf([this] { ending_ = true; });
  }

  // Finishes once it is to end and nothing is being written.
  template <typename Change>
  void FinishIf(Change change) {
    {
      absl::MutexLock lock(&mutex_);
      change();
      if (!written_ || !ending_ || finished_) return;
      finished_ = true;
    }
    info_.LogEnd(absl::OkStatus(), 0);
    // Outside the lock, and last: gRPC may destroy this object at once.
    Finish(grpc::Status::OK);
  }

  Core& core_;
  const CallInfo info_;
  std::shared_ptr<SharedRegion> region_;
  pb::SharedMemoryRegion message_;
  absl::Mutex mutex_;
  bool written_ = false;
  bool ending_ = false;
  bool finished_ = false;
  // Last, so that it goes first: what it calls uses the others.
  std::optional<std::stop_callback<std::function<void()>>> abort_;
};

}  // namespace

grpc::ServerWriteReactor<pb::SharedMemoryRegion>* StartShareMemory(
    Core& core, grpc::CallbackServerContext& context, const pb::ShareMemoryRequest& request) {
  return new ShareMemoryCall(core, context, request);
}

}  // namespace blendwire::server

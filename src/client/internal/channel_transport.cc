// SPDX-License-Identifier: Apache-2.0
//
// Where the client meets gRPC: channels and timers.

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "client/internal/clock.h"
#include "client/internal/grpc_rpc.h"
#include "client/internal/transport.h"
#include "grpcpp/alarm.h"
#include "grpcpp/grpcpp.h"

namespace blendwire::client {
namespace {

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(
      std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, std::numeric_limits<int>::max()));
}

grpc::ChannelArguments ChannelArgumentsFor(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(options.max_message_bytes);
  arguments.SetMaxSendMessageSize(options.max_message_bytes);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keepalive.time));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(options.keepalive.timeout));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS,
                   options.keepalive.without_calls ? 1 : 0);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // Otherwise gRPC merges channels with the same target and arguments into one connection.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A proxy from the environment would get the token, and could not reach this loopback anyway.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Settings for a call come from here, not from DNS.
  arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
  // RetryTransport does that. gRPC 1.51's own filter, which is there even when no call is ever
  // tried again, ends the process over an answer that has ended without a status.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  // gRPC's own pause between attempts to connect is for servers across a network: 1 s growing to
  // 120 s. A local server that is being restarted is back within a second or two.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // In spite of its name, the time that one attempt to connect may take.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetUserAgentPrefix("blendwire-client");
  return arguments;
}

// A try's context, which holds on to its channel, until the try has ended.
class ContextSlot {
 public:
  explicit ContextSlot(const Attempt& attempt) : context_(std::in_place) {
    for (const auto& [key, value] : attempt.metadata) context_->AddMetadata(key, value);
    if (attempt.deadline != absl::InfiniteFuture()) {
      context_->set_deadline(absl::ToChronoTime(attempt.deadline));
    }
  }

  // Before the try starts, and until it ends, the context stays where it is.
  grpc::ClientContext& context() ABSL_NO_THREAD_SAFETY_ANALYSIS { return *context_; }

  void Cancel() {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
    if (context_.has_value()) context_->TryCancel();
  }

  bool cancelled() {
    absl::MutexLock lock(&mutex_);
    return cancelled_;
  }

  void Clear() {
    absl::MutexLock lock(&mutex_);
    context_.reset();
  }

 private:
  absl::Mutex mutex_;
  std::optional<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

// A gRPC server that stops listening cancels the calls that have just arrived and that it has not
// looked at: for the caller it is as if it had come a moment later.
absl::Status UnavailableIfServerCancelled(absl::Status status, ContextSlot& slot) {
  if (status != absl::CancelledError(kCancelledMessage) || slot.cancelled()) return status;
  return absl::UnavailableError("it cancelled the call, as it does when it shuts down");
}

// gRPC's own words for a connection that broke do not say which ("Connection reset by peer").
absl::Status NamingServer(absl::Status status, const std::string& address) {
  if (status.code() != absl::StatusCode::kUnavailable ||
      absl::StrContains(status.message(), address)) {
    return status;
  }
  return absl::UnavailableError(absl::StrCat("the server at ", address, ": ", status.message()));
}

class ChannelTransport : public Transport {
 public:
  ChannelTransport(const std::string& target, const ClientOptions& options)
      : address_(options.address) {
    channel_.channel = grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(),
                                                 ChannelArgumentsFor(options));
    channel_.stub = contract::InferenceService::NewStub(channel_.channel);
  }

  std::function<void()> Start(std::shared_ptr<Rpc> rpc, Attempt attempt,
                              StatusFunction done) override {
    auto slot = std::make_shared<ContextSlot>(attempt);
    Rpc& started = *rpc;
    started.Start(channel_, slot->context(),
                  [slot, rpc = std::move(rpc), done = std::move(done),
                   address = address_](absl::Status status) {
                    slot->Clear();
                    status = UnavailableIfServerCancelled(std::move(status), *slot);
                    done(NamingServer(std::move(status), address));
                  });
    return [slot] { slot->Cancel(); };
  }

 private:
  const std::string address_;
  Channel channel_;
};

class GrpcClock : public Clock {
 public:
  absl::Time Now() override { return absl::Now(); }

  std::function<void()> RunAfter(absl::Duration delay, std::function<void()> action) override {
    auto alarm = std::make_shared<grpc::Alarm>();
    // The alarm keeps its function and the function keeps the alarm, until it has rung or has been
    // cancelled: either way the function runs.
    alarm->Set(absl::ToChronoTime(absl::Now() + delay),
               [keep = alarm, action = std::move(action)](bool) mutable {
                 const std::shared_ptr<grpc::Alarm> last = std::move(keep);
                 std::exchange(action, nullptr)();
               });
    return [weak = std::weak_ptr<grpc::Alarm>(alarm)] {
      if (const auto strong = weak.lock()) strong->Cancel();
    };
  }
};

}  // namespace

std::unique_ptr<Transport> MakeChannelTransport(const std::string& target,
                                                const ClientOptions& options) {
  return std::make_unique<ChannelTransport>(target, options);
}

std::shared_ptr<Clock> SystemClock() { return std::make_shared<GrpcClock>(); }

}  // namespace blendwire::client

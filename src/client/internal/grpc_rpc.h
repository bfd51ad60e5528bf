// SPDX-License-Identifier: Apache-2.0
//
// The two shapes of call in the contract, on gRPC's callback API.

#ifndef BLENDWIRE_CLIENT_INTERNAL_GRPC_RPC_H_
#define BLENDWIRE_CLIENT_INTERNAL_GRPC_RPC_H_

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "client/internal/transport.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/unknown_field_set.h"
#include "grpcpp/grpcpp.h"
#include "vrchat/blendshape/inference/inference.grpc.pb.h"

namespace blendwire::client {

namespace contract = ::vrchat::blendshape::inference;

struct Channel {
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<contract::InferenceService::Stub> stub;
};

using AsyncStub = contract::InferenceService::StubInterface::async_interface;

inline constexpr char kCancelledMessage[] = "the call was cancelled";

// The same code and the same message, except where that says nothing.
inline absl::Status ToAbslStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  if (status.error_code() == grpc::CANCELLED && status.error_message() == "CANCELLED") {
    return absl::CancelledError(kCancelledMessage);
  }
  return absl::Status(
      static_cast<absl::StatusCode>(status.error_code()),
      status.error_message().empty() ? "the server gave no reason" : status.error_message());
}

// Changes a request because of the error that it ended with; false: that error stands.
using AmendFunction = std::function<bool(const absl::Status&)>;

class AmendableRpc : public Rpc {
 public:
  // Before the start. `amend` may refer to this object's request.
  void AmendWith(AmendFunction amend) { amend_ = std::move(amend); }

  // Before the start. Runs before each try but the first, and may refer to this object's request.
  void BeforeRestart(std::function<void()> action) { before_restart_ = std::move(action); }

  // Before the start: the request rests on a guess. No try ends before JudgeGuess().
  void StartOnGuess() { judged_ = std::make_unique<absl::Notification>(); }

  // Once, after the start, by whoever started the call: a try's end waits for it. A try on a wrong
  // guess is cancelled, and whatever came of it counts for nothing: `mend` changes the request, and
  // the call begins again.
  void JudgeGuess(bool right, std::function<void()> mend) {
    {
      absl::MutexLock lock(&mutex_);
      guess_is_wrong_ = !right;
      mend_ = std::move(mend);
      // Still there, since its try waits for this.
      if (!right && context_ != nullptr) context_->TryCancel();
    }
    judged_->Notify();
  }

  bool Amend(const absl::Status& status) override {
    if (judged_ != nullptr && judged_->HasBeenNotified() && MendGuess()) return true;
    if (!amend_ || !amend_(status)) return false;
    amend_ = nullptr;
    return true;
  }

 protected:
  void TryStarts(grpc::ClientContext& context) {
    if (started_ && before_restart_) before_restart_();
    started_ = true;
    if (judged_ == nullptr) return;
    absl::MutexLock lock(&mutex_);
    context_ = &context;
  }

  // What a try's end amounts to, once that can be said.
  absl::Status Judged(absl::Status status) {
    if (judged_ == nullptr) return status;
    judged_->WaitForNotification();
    absl::MutexLock lock(&mutex_);
    context_ = nullptr;
    if (!guess_is_wrong_) return status;
    return absl::ResourceExhaustedError("there was not enough memory to send the mesh");
  }

 private:
  bool MendGuess() {
    absl::MutexLock lock(&mutex_);
    if (!guess_is_wrong_ || !mend_) return false;
    std::exchange(mend_, nullptr)();
    amend_ = nullptr;  // its mesh is the guess
    guess_is_wrong_ = false;
    return true;
  }

  std::unique_ptr<absl::Notification> judged_;  // null: there is no guess
  absl::Mutex mutex_;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the try that runs
  bool guess_is_wrong_ ABSL_GUARDED_BY(mutex_) = false;
  std::function<void()> mend_ ABSL_GUARDED_BY(mutex_);
  AmendFunction amend_;
  std::function<void()> before_restart_;
  bool started_ = false;
};

// A call with one answer.
template <typename Request, typename Response>
class UnaryRpc : public AmendableRpc {
 public:
  using Method = void (AsyncStub::*)(grpc::ClientContext*, const Request*, Response*,
                                     std::function<void(grpc::Status)>);

  UnaryRpc(Method method, bool retryable) : method_(method), retryable_(retryable) {}

  Request& request() { return request_; }
  // Room that is reserved in it before the start stays for the answer.
  Response& response() { return response_; }

  bool retryable() const override { return retryable_; }

  void Start(Channel& channel, grpc::ClientContext& context, StatusFunction done) override {
    TryStarts(context);
    response_.Clear();
    // gRPC 1.51 takes an OK without a message for an answer. Reading a message clears unknown
    // fields: this one is still there if none came.
    UnknownFields().AddVarint(kNoAnswer, 0);
    AsyncStub* const stub = channel.stub->async();
    (stub->*method_)(&context, &request_, &response_,
                     [this, done = std::move(done)](const grpc::Status& status) {
                       done(Judged(status.ok() ? WhetherAnswered() : ToAbslStatus(status)));
                     });
  }

 private:
  static constexpr int kNoAnswer = google::protobuf::FieldDescriptor::kMaxNumber;

  google::protobuf::UnknownFieldSet& UnknownFields() {
    return *response_.GetReflection()->MutableUnknownFields(&response_);
  }

  absl::Status WhetherAnswered() {
    const google::protobuf::UnknownFieldSet& fields = UnknownFields();
    if (fields.field_count() != 1 || fields.field(0).number() != kNoAnswer) return absl::OkStatus();
    return absl::InternalError("the server ended the call without an answer");
  }

  Method method_;
  bool retryable_;
  Request request_;
  Response response_;
};

// A call with several answers.
template <typename Request, typename Update>
class StreamRpc : public AmendableRpc {
 public:
  using Method = void (AsyncStub::*)(grpc::ClientContext*, const Request*,
                                     grpc::ClientReadReactor<Update>*);
  // Called for each update, one at a time. An error ends the call with that error.
  using Handler = std::function<absl::Status(const Update&)>;

  StreamRpc(Method method, Handler handler) : method_(method), handler_(std::move(handler)) {}

  Request& request() { return request_; }

  // Once the caller has seen an update, a second try would report it twice.
  bool retryable() const override { return !answered_; }

  bool Amend(const absl::Status& status) override {
    return !answered_ && AmendableRpc::Amend(status);
  }

  void Start(Channel& channel, grpc::ClientContext& context, StatusFunction done) override {
    TryStarts(context);
    (new Reader(*this, context, std::move(done)))->Run(*channel.stub);
  }

 private:
  // Deletes itself when gRPC has no more use for it.
  class Reader : public grpc::ClientReadReactor<Update> {
   public:
    Reader(StreamRpc& rpc, grpc::ClientContext& context, StatusFunction done)
        : rpc_(rpc), context_(context), done_(std::move(done)) {}

    void Run(contract::InferenceService::Stub& stub) {
      (stub.async()->*rpc_.method_)(&context_, &rpc_.request_, this);
      this->StartRead(&update_);
      this->StartCall();
    }

    void OnReadDone(bool ok) override {
      if (!ok) return;
      rpc_.answered_ = true;
      handled_ = rpc_.handler_(update_);
      if (!handled_.ok()) return context_.TryCancel();
      this->StartRead(&update_);
    }

    void OnDone(const grpc::Status& status) override {
      const StatusFunction done = std::move(done_);
      const absl::Status result = handled_.ok() ? ToAbslStatus(status) : handled_;
      delete this;
      done(result);
    }

   private:
    StreamRpc& rpc_;
    grpc::ClientContext& context_;
    StatusFunction done_;
    Update update_;
    absl::Status handled_;
  };

  Method method_;
  Handler handler_;
  Request request_;
  std::atomic<bool> answered_ = false;
};

using PredictStreamRpc =
    StreamRpc<contract::BatchPredictionRequest, contract::BatchPredictionUpdate>;
using ShareMemoryRpc = StreamRpc<contract::ShareMemoryRequest, contract::SharedMemoryRegion>;

}  // namespace blendwire::client

#endif  // BLENDWIRE_CLIENT_INTERNAL_GRPC_RPC_H_

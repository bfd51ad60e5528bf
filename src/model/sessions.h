// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_MODEL_SESSIONS_H_
#define BLENDWIRE_MODEL_SESSIONS_H_

#include <atomic>
#include <functional>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "onnxruntime_cxx_api.h"

namespace blendwire::model {

// The sessions of one model. A run that has the processors to itself uses all of them. Runs beside
// each other use one each: threads of one run wait for one another, and that is time in which
// another run could go on (docs/performance.md, many clients). How many threads a run has is a
// property of ONNX Runtime's session, so there is a second one, made when it is first wanted.
class Sessions {
 public:
  // `wide` runs on `threads`. `make_narrow` makes the same with one; without it, all runs are wide.
  // It may throw, and is called once at most.
  Sessions(Ort::Session wide, int threads, std::function<Ort::Session()> make_narrow);

  // Calls run(session) with the session that suits the runs which are under way; throws what it
  // throws.
  template <typename Run>
  void With(Run run) {
    const Turn turn(running_);
    run(Choose(turn.running));
  }

 private:
  struct Turn {
    explicit Turn(std::atomic<int>& count) : counter(count), running(++count) {}
    ~Turn() { --counter; }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    std::atomic<int>& counter;
    const int running;  // this one included
  };

  Ort::Session& Choose(int running);

  Ort::Session wide_;
  const int threads_;
  std::atomic<int> running_ = 0;
  absl::Mutex mutex_;
  std::function<Ort::Session()> make_narrow_ ABSL_GUARDED_BY(mutex_);
  std::optional<Ort::Session> narrow_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace blendwire::model

#endif  // BLENDWIRE_MODEL_SESSIONS_H_

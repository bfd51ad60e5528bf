// SPDX-License-Identifier: Apache-2.0

#include "model/sessions.h"

namespace blendwire::model {

Sessions::Sessions(Ort::Session wide, int threads, std::function<Ort::Session()> make_narrow)
    : wide_(std::move(wide)), threads_(threads), make_narrow_(std::move(make_narrow)) {}

Ort::Session& Sessions::Choose(int running) {
  if (2 * running <= threads_ || running < 2) return wide_;
  // While one run makes it, the others need not wait.
  if (!mutex_.TryLock()) return wide_;
  Ort::Session* chosen = narrow_.has_value() ? &*narrow_ : &wide_;
  if (!narrow_.has_value() && make_narrow_ != nullptr) {
    const std::function<Ort::Session()> make = std::exchange(make_narrow_, nullptr);
    try {
      chosen = &narrow_.emplace(make());
    } catch (const Ort::Exception&) {
      // Short of memory, for example: the first one does the same work.
    }
  }
  mutex_.Unlock();
  return *chosen;
}

}  // namespace blendwire::model

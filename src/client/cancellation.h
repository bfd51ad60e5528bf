// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CLIENT_CANCELLATION_H_
#define BLENDWIRE_CLIENT_CANCELLATION_H_

#include <cstdint>
#include <functional>
#include <memory>

namespace blendwire {

// A switch that ends calls early. Copies share one switch; it can serve any number of calls, goes
// one way only, and may be thrown from any thread, also from within a call's own callback.
class Cancellation {
 public:
  Cancellation();

  // Ends every call that was started with this switch, and every later one at once.
  void Cancel() const;

  bool cancelled() const;

  // Runs `action` when the switch is thrown; at once if it already was. The result identifies the
  // action for Forget(); an action that already ran is forgotten by itself. For the implementation.
  uint64_t OnCancel(std::function<void()> action) const;

  // Lets go of an action; on another thread it may be running still.
  void Forget(uint64_t id) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace blendwire

#endif  // BLENDWIRE_CLIENT_CANCELLATION_H_

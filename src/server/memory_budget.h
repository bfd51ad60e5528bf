// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SERVER_MEMORY_BUDGET_H_
#define BLENDWIRE_SERVER_MEMORY_BUDGET_H_

#include <atomic>
#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"

namespace blendwire::server {

// Bounds what all calls in flight may need together, so that many large ones cannot exhaust the
// machine. Safe for use from several threads at once; must outlive its reservations.
class MemoryBudget {
 public:
  explicit MemoryBudget(size_t bytes) : total_(bytes) {}

  // Given back by its destructor.
  class Reservation {
   public:
    Reservation() = default;
    Reservation(Reservation&& other) noexcept { *this = std::move(other); }
    Reservation& operator=(Reservation&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Reservation() {
      if (budget_ != nullptr) budget_->used_.fetch_sub(bytes_);
    }

   private:
    friend class MemoryBudget;
    MemoryBudget* budget_ = nullptr;
    size_t bytes_ = 0;
  };

  // RESOURCE_EXHAUSTED if the call alone is over the budget, or together with what is in flight.
  absl::StatusOr<Reservation> Reserve(size_t bytes);

  // Whether so much could be taken now. Something over the whole budget fits when nothing else is
  // taken: it goes alone.
  bool Fits(size_t bytes) const;

  // Takes it whether it fits or not.
  Reservation Take(size_t bytes);

  size_t total() const { return total_; }
  size_t used() const { return used_.load(); }

 private:
  const size_t total_;
  std::atomic<size_t> used_{0};
};

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_MEMORY_BUDGET_H_

// SPDX-License-Identifier: Apache-2.0

#include "server/memory_budget.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace blendwire::server {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

std::string MiB(size_t bytes) { return absl::StrCat(bytes / kMiB + (bytes % kMiB == 0 ? 0 : 1), " MiB"); }

}  // namespace

absl::StatusOr<MemoryBudget::Reservation> MemoryBudget::Reserve(size_t bytes) {
  size_t used = used_.load();
  do {
    if (bytes > total_) {
      return absl::ResourceExhaustedError(
          absl::StrCat("this call needs about ", MiB(bytes), ", but all calls together may use ",
                       MiB(total_), " (--memory-budget); send a smaller mesh or fewer expressions"));
    }
    if (used > total_ - bytes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("this call needs about ", MiB(bytes), ", and ", MiB(used), " of ",
                       MiB(total_), " (--memory-budget) are in use; try again soon"));
    }
  } while (!used_.compare_exchange_weak(used, used + bytes));
  Reservation reservation;
  reservation.budget_ = this;
  reservation.bytes_ = bytes;
  return reservation;
}

bool MemoryBudget::Fits(size_t bytes) const {
  const size_t used = used_.load();
  return used == 0 || (bytes <= total_ && used <= total_ - bytes);
}

MemoryBudget::Reservation MemoryBudget::Take(size_t bytes) {
  used_.fetch_add(bytes);
  Reservation reservation;
  reservation.budget_ = this;
  reservation.bytes_ = bytes;
  return reservation;
}

}  // namespace blendwire::server

// SPDX-License-Identifier: Apache-2.0
//
// Calls something again and again, from one or more threads, and says how long it took.

#ifndef BLENDWIRE_BENCH_MEASURE_H_
#define BLENDWIRE_BENCH_MEASURE_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace blendwire::bench {

struct Plan {
  int threads = 1;
  double seconds = 1.0;   // no call begins later
  size_t at_least = 3;    // calls of each thread, however long they take
  size_t warm_up = 1;     // calls of each thread before the clock starts
  // 0: each thread calls as soon as its last call has returned. Else calls per second of all
  // threads together, evenly spaced; a call's time counts from the moment it was due, so that waiting for a
  // free thread is not forgotten.
  double rate = 0.0;
};

// The call: which thread of how many makes it, and a number of its own.
using Call = std::function<absl::Status(int thread, size_t number)>;

// One line of JSON: seconds, calls, errors, first_error, per_second, this process's processor
// seconds for each call as caller_cpu_s, and of the calls that succeeded the milliseconds: mean_ms,
// min_ms, p50_ms, p95_ms, p99_ms, max_ms, and times_ms, the first 1000 as they came.
std::string Measure(const Plan& plan, const Call& call);

}  // namespace blendwire::bench

#endif  // BLENDWIRE_BENCH_MEASURE_H_

// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_SYSTEM_PARALLEL_FOR_H_
#define BLENDWIRE_SYSTEM_PARALLEL_FOR_H_

#include <cstddef>

#include "absl/functional/function_ref.h"

namespace blendwire::system {

// Calls body(begin, end) for pieces that cover [0, count), and returns when all have returned.
// Every piece but the last has `grain` elements, on every machine: what is summed piece by piece,
// and then over the pieces in their order, gives the same bits everywhere.
//
// Pieces run on this thread and on threads of this process's own, one for each further processor,
// which sleep otherwise. They help one call at a time, since others have a processor each by then:
// those run alone, and so does a call for one piece, or from within `body`. A piece worth a helper
// takes 20 microseconds or more. What `body` throws is thrown here, some of the pieces left out.
void ParallelFor(size_t count, size_t grain, absl::FunctionRef<void(size_t, size_t)> body);

}  // namespace blendwire::system

#endif  // BLENDWIRE_SYSTEM_PARALLEL_FOR_H_

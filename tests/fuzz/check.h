// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_FUZZ_CHECK_H_
#define BLENDWIRE_FUZZ_CHECK_H_

#include <cstdio>
#include <cstdlib>

// Ends the process, which the fuzzer takes for a finding, unless `condition` holds.
#define BLENDWIRE_FUZZ_CHECK(condition)                                                     \
  do {                                                                                      \
    if (!(condition)) {                                                                     \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);          \
      std::abort();                                                                         \
    }                                                                                       \
  } while (false)

#endif  // BLENDWIRE_FUZZ_CHECK_H_

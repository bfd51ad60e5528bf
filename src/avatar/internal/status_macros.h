// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_STATUS_MACROS_H_
#define BLENDWIRE_AVATAR_INTERNAL_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define BLENDWIRE_AVATAR_CONCAT_INNER(a, b) a##b
#define BLENDWIRE_AVATAR_CONCAT(a, b) BLENDWIRE_AVATAR_CONCAT_INNER(a, b)

// Leaves the function with the error, if `expression` (an absl::Status) is one.
#define BLENDWIRE_AVATAR_RETURN_IF_ERROR(expression)                          \
  if (absl::Status BLENDWIRE_AVATAR_CONCAT(status_, __LINE__) = (expression); \
      !BLENDWIRE_AVATAR_CONCAT(status_, __LINE__).ok())                       \
  return BLENDWIRE_AVATAR_CONCAT(status_, __LINE__)

// Leaves the function with the error, or gives the value of `expression` (an absl::StatusOr) to
// `variable`, which may be a declaration.
#define BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(variable, expression)   \
  auto BLENDWIRE_AVATAR_CONCAT(result_, __LINE__) = (expression); \
  if (!BLENDWIRE_AVATAR_CONCAT(result_, __LINE__).ok()) {         \
    return BLENDWIRE_AVATAR_CONCAT(result_, __LINE__).status();   \
  }                                                               \
  /* NOLINTNEXTLINE(bugprone-macro-parentheses): may be a declaration */ \
  variable = *std::move(BLENDWIRE_AVATAR_CONCAT(result_, __LINE__))

#endif  // BLENDWIRE_AVATAR_INTERNAL_STATUS_MACROS_H_

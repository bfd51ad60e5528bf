// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_CAPI_ERROR_H_
#define BLENDWIRE_CAPI_ERROR_H_

#include <exception>
#include <new>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "capi/blendwire.h"

namespace blendwire::capi {

// The status as a code; what blendwire_last_error() says from now on, if it is an error.
blendwire_code Report(const absl::Status& status);

absl::Status NullError(absl::string_view argument);

// Runs a function of the API: nothing that it throws may reach a caller who is not C++.
template <typename Function>
blendwire_code Guard(Function function) {
  try {
    return Report(function());
  } catch (const std::bad_alloc&) {
    return Report(absl::ResourceExhaustedError("out of memory"));
  } catch (const std::system_error& error) {
    return Report(
        absl::ResourceExhaustedError(absl::StrCat("no thread to be had: ", error.what())));
  } catch (const std::exception& error) {
    return Report(absl::InternalError(error.what()));
  }
}

}  // namespace blendwire::capi

#endif  // BLENDWIRE_CAPI_ERROR_H_

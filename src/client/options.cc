// SPDX-License-Identifier: Apache-2.0

#include "client/options.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "client/address.h"
#include "client/internal/header_value.h"

namespace blendwire {
namespace {

absl::Status Bad(absl::string_view field, absl::string_view value, absl::string_view right) {
  return absl::InvalidArgumentError(absl::StrCat(field, " is ", value, ", but must be ", right));
}

absl::Status CheckPositive(absl::string_view field, absl::Duration value) {
  if (value > absl::ZeroDuration() && value != absl::InfiniteDuration()) return absl::OkStatus();
  return Bad(field, absl::FormatDuration(value), "more than zero and finite");
}

absl::Status CheckRetry(const RetryPolicy& retry) {
  if (retry.max_attempts < 1) {
    return Bad("retry.max_attempts", absl::StrCat(retry.max_attempts), "at least 1");
  }
  if (retry.max_total_time < absl::ZeroDuration()) {
    return Bad("retry.max_total_time", absl::FormatDuration(retry.max_total_time),
               "zero or more");
  }
  if (auto s = CheckPositive("retry.initial_backoff", retry.initial_backoff); !s.ok()) return s;
  if (retry.max_backoff < retry.initial_backoff || retry.max_backoff == absl::InfiniteDuration()) {
    return Bad("retry.max_backoff", absl::FormatDuration(retry.max_backoff),
               "finite and at least retry.initial_backoff");
  }
  // Written so that NaN fails.
  if (!(retry.multiplier >= 1.0 && retry.multiplier <= 1000.0)) {
    return Bad("retry.multiplier", absl::StrCat(retry.multiplier), "1 to 1000");
  }
  if (!(retry.jitter >= 0.0 && retry.jitter <= 1.0)) {
    return Bad("retry.jitter", absl::StrCat(retry.jitter), "0 to 1");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ClientOptions::Validate() const {
  if (auto target = client::LocalTarget(address); !target.ok()) return target.status();
  if (!client::IsHeaderValue(token)) {
    // Its value is a secret and stays out of the message.
    return absl::InvalidArgumentError(
        "token may have printable ASCII characters only, and no space at either end");
  }
  if (auto s = CheckPositive("timeout", timeout); !s.ok()) return s;
  if (channels < 1 || channels > 64) return Bad("channels", absl::StrCat(channels), "1 to 64");
  if (auto s = CheckRetry(retry); !s.ok()) return s;
  if (max_message_bytes < 1024) {
    return Bad("max_message_bytes", absl::StrCat(max_message_bytes), "at least 1024");
  }
  if (auto s = CheckPositive("keepalive.time", keepalive.time); !s.ok()) return s;
  return CheckPositive("keepalive.timeout", keepalive.timeout);
}

}  // namespace blendwire

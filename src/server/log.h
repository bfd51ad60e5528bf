// SPDX-License-Identifier: Apache-2.0
//
// The server's log: one line per event on standard error, as text or as JSON.
//
//   Log(LogLevel::kInfo, "prediction", {{"request_id", id}, {"code", "OK"}, {"ms", "12.5"}});
//
// text:  2026-11-24 10:00:00.123 info  prediction request_id=7f3a code=OK ms=12.5
// json:  {"time":"2026-11-24T10:00:00.123Z","level":"info","event":"prediction","request_id":"7f3a",…}
//
// No token and no vertex ever goes into a log line.

#ifndef BLENDWIRE_SERVER_LOG_H_
#define BLENDWIRE_SERVER_LOG_H_

#include <initializer_list>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::server {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// "DEBUG", "INFO", "WARNING" ("WARN"), "ERROR" ("CRITICAL"), in any case; INVALID_ARGUMENT otherwise.
absl::StatusOr<LogLevel> ParseLogLevel(absl::string_view name);
// "text" or "json"; INVALID_ARGUMENT otherwise.
absl::StatusOr<LogFormat> ParseLogFormat(absl::string_view name);

struct LogField {
  absl::string_view key;
  std::string value;
};

// Before the first Log(). Lines below `level` are dropped.
void ConfigureLog(LogLevel level, LogFormat format);

// Safe for use from several threads at once. A value with spaces or control characters is quoted
// and escaped, so that no request can forge a line.
void Log(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace blendwire::server

#endif  // BLENDWIRE_SERVER_LOG_H_

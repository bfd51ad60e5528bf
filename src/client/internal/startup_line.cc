// SPDX-License-Identifier: Apache-2.0

#include "client/internal/startup_line.h"

#include <nlohmann/json.hpp>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "client/address.h"

namespace blendwire::client {

absl::StatusOr<StartupLine> ParseStartupLine(const std::string& line) {
  const auto wrong = [&line](absl::string_view why) {
    constexpr size_t kShown = 200;
    return absl::InternalError(
        absl::StrCat("the server's start-up line is \"", absl::CEscape(line.substr(0, kShown)),
                     line.size() > kShown ? "…" : "", "\": ", why,
                     "; check that the program is a Blendwire server of this version"));
  };
  const auto json = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return wrong("it is not a JSON object");
  const auto address = json.find("address");
  const auto pid = json.find("pid");
  const auto version = json.find("version");
  if (address == json.end() || !address->is_string()) return wrong("\"address\" is not a string");
  if (pid == json.end() || !pid->is_number_integer()) return wrong("\"pid\" is not an integer");
  if (version == json.end() || !version->is_string()) return wrong("\"version\" is not a string");
  StartupLine result{address->get<std::string>(), pid->get<int64_t>(),
                     version->get<std::string>()};
  if (auto target = LocalTarget(result.address); !target.ok()) {
    return wrong(target.status().message());
  }
  return result;
}

}  // namespace blendwire::client

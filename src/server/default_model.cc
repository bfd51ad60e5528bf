// SPDX-License-Identifier: Apache-2.0

#include "server/default_model.h"

#include <array>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "system/executable_path.h"
#include "system/files.h"

namespace blendwire::server {

absl::StatusOr<std::filesystem::path> FindDefaultModel() {
  const absl::StatusOr<std::filesystem::path> program = system::ExecutablePath();
  if (!program.ok()) return program.status();
  const std::filesystem::path folder = program->parent_path();
  const std::array<std::filesystem::path, 2> places = {
      folder / "models" / "default.onnx",
      folder.parent_path() / "share" / "blendwire" / "models" / "default.onnx"};
  for (const std::filesystem::path& place : places) {
    std::error_code error;
    if (std::filesystem::is_regular_file(place, error)) return place;
  }
  return absl::NotFoundError(
      absl::StrCat("the default model is at none of ", system::ToUtf8(places[0]), ", ", system::ToUtf8(places[1]),
                   "; name one with --model, or install Blendwire again"));
}

}  // namespace blendwire::server

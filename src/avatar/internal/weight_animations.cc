// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/weight_animations.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "avatar/internal/accessor.h"
#include "avatar/internal/accessor_writer.h"
#include "avatar/internal/status_macros.h"

namespace blendwire::avatar {
namespace {

bool NodeShows(const Json& root, const Json& node, size_t mesh) {
  const absl::StatusOr<size_t> index = ToIndex(root, node, "nodes", "node");
  if (!index.ok()) return false;
  const Json* shown = Find(List(root, "nodes")[*index], "mesh");
  const absl::StatusOr<uint64_t> value =
      shown == nullptr ? absl::StatusOr<uint64_t>(absl::NotFoundError("")) : ToUint(*shown, "mesh");
  return value.ok() && *value == mesh;
}

// KHR_animation_pointer: "/meshes/2/weights" or "/nodes/3/weights".
bool PointerMeans(const Json& root, const Json& target, size_t mesh) {
  const Json* extensions = Find(target, "extensions");
  const Json* extension =
      extensions == nullptr ? nullptr : Find(*extensions, "KHR_animation_pointer");
  if (extension == nullptr) return false;
  const std::string pointer = GetText(*extension, "pointer");
  const std::vector<std::string> parts = absl::StrSplit(pointer, '/');
  uint64_t index = 0;
  if (parts.size() != 4 || parts[3] != "weights" || !absl::SimpleAtoi(parts[2], &index)) {
    return false;
  }
  if (parts[1] == "meshes") return index == mesh;
  return parts[1] == "nodes" && NodeShows(root, Json(index), mesh);
}

bool AnimatesWeights(const Json& root, const Json& channel, size_t mesh) {
  const Json* target = Find(channel, "target");
  if (target == nullptr) return false;
  const std::string path = GetText(*target, "path");
  const Json* node = Find(*target, "node");
  if (path == "weights") return node != nullptr && NodeShows(root, *node, mesh);
  return path == "pointer" && PointerMeans(root, *target, mesh);
}

// `frames` times `old_count` numbers, with `added` zeros behind each row.
std::vector<float> Widened(const std::vector<float>& rows, size_t old_count, size_t added) {
  std::vector<float> out;
  const size_t count = rows.size() / old_count;
  out.reserve(count * (old_count + added));
  for (size_t row = 0; row < count; ++row) {
    const auto first = rows.begin() + static_cast<std::ptrdiff_t>(row * old_count);
    out.insert(out.end(), first, first + static_cast<std::ptrdiff_t>(old_count));
    out.resize(out.size() + added, 0.0f);
  }
  return out;
}

// The accessor with the sampler's wider output; INVALID_ARGUMENT if its output does not fit.
absl::StatusOr<size_t> WidenedOutput(Document& document, AccessorReader& reader,
                                     const Json& sampler, size_t old_count, size_t added) {
  const Json& root = document.json;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::optional<size_t> input,
                                    GetIndex(root, sampler, "input", "accessors", "sampler"));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::optional<size_t> output,
                                    GetIndex(root, sampler, "output", "accessors", "sampler"));
  if (!input.has_value() || !output.has_value()) {
    return absl::InvalidArgumentError("the sampler lacks its input or its output");
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const AccessorLayout times, reader.Layout(*input));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<float> rows, reader.Floats(*output, 1));
  // A cubic spline has an in-tangent, a value and an out-tangent per key frame.
  const size_t per_frame = GetText(sampler, "interpolation") == "CUBICSPLINE" ? 3 : 1;
  if (old_count == 0 || rows.size() != times.count * per_frame * old_count) {
    return absl::InvalidArgumentError(absl::StrCat("its output has ", rows.size(), " numbers for ",
                                                   times.count, " key frames and ", old_count,
                                                   " morph targets"));
  }
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(
      reader.Spend(uint64_t{rows.size()} / old_count * (old_count + added)));
  const std::vector<float> wide = Widened(rows, old_count, added);
  if (wide.empty()) return *output;
  return AppendFloats(document, wide, 1, ViewTarget::kNone, /*bounds=*/false);
}

absl::Status ExtendChannel(Document& document, AccessorReader& reader, size_t animation,
                           size_t channel, size_t old_count, size_t added) {
  const Json& old_animation = document.json["animations"][animation];
  const Json& samplers = List(old_animation, "samplers");
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const uint64_t index,
      GetUint(List(old_animation, "channels")[channel], "sampler", "channel"));
  if (index >= samplers.size() || !samplers[index].is_object()) {
    return absl::InvalidArgumentError("the channel has no sampler");
  }
  Json sampler = samplers[index];
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const size_t output,
                                    WidenedOutput(document, reader, sampler, old_count, added));
  sampler["output"] = output;
  // Another channel may use the old sampler for another mesh.
  Json& new_animation = document.json["animations"][animation];
  new_animation["samplers"].push_back(std::move(sampler));
  new_animation["channels"][channel]["sampler"] = new_animation["samplers"].size() - 1;
  return absl::OkStatus();
}

}  // namespace

void ExtendWeightAnimations(Document& document, size_t mesh, size_t old_count, size_t added,
                            const Limits& limits) {
  AccessorReader reader(document, limits);
  for (size_t a = 0; a < List(document.json, "animations").size(); ++a) {
    for (size_t c = 0; c < List(document.json["animations"][a], "channels").size(); ++c) {
      if (!AnimatesWeights(document.json, document.json["animations"][a]["channels"][c], mesh)) {
        continue;
      }
      const absl::Status status = ExtendChannel(document, reader, a, c, old_count, added);
      if (!status.ok()) {
        document.warnings.push_back(absl::StrCat(Where("animations", a), ".channels[", c,
                                                 "] was left as it is: ", status.message()));
      }
    }
  }
}

}  // namespace blendwire::avatar

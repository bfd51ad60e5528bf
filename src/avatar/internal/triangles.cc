// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/triangles.h"

#include <numeric>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/status_macros.h"

namespace blendwire::avatar {
namespace {

constexpr uint64_t kTriangles = 4;
constexpr uint64_t kStrip = 5;
constexpr uint64_t kFan = 6;

std::vector<uint32_t> FromStrip(const std::vector<uint32_t>& indices) {
  std::vector<uint32_t> out;
  for (size_t i = 0; i + 2 < indices.size(); ++i) {
    // Every other triangle of a strip runs the other way round.
    const size_t odd = i % 2;
    out.insert(out.end(), {indices[i], indices[i + 1 + odd], indices[i + 2 - odd]});
  }
  return out;
}

std::vector<uint32_t> FromFan(const std::vector<uint32_t>& indices) {
  std::vector<uint32_t> out;
  for (size_t i = 1; i + 1 < indices.size(); ++i) {
    out.insert(out.end(), {indices[i], indices[i + 1], indices[0]});
  }
  return out;
}

}  // namespace

absl::StatusOr<bool> HasTriangles(const Json& primitive, const std::string& where) {
  if (const Json* extensions = Find(primitive, "extensions");
      extensions != nullptr && Find(*extensions, "KHR_draco_mesh_compression") != nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        where, " is compressed (KHR_draco_mesh_compression): export without compression"));
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t mode,
                                    GetUint(primitive, "mode", where, kTriangles));
  if (mode > kFan) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ".mode is ", mode, ", but must be 0 to 6"));
  }
  return mode >= kTriangles;
}

absl::StatusOr<std::vector<uint32_t>> ReadTriangles(AccessorReader& reader, const Json& primitive,
                                                    const std::string& where, size_t vertex_count) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const std::optional<size_t> accessor,
      GetIndex(reader.document().json, primitive, "indices", "accessors", where));
  std::vector<uint32_t> indices;
  if (accessor.has_value()) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(indices, reader.Integers(*accessor, 1));
    for (size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] < vertex_count) continue;
      return absl::InvalidArgumentError(absl::StrCat(where, ".indices[", i, "] is ", indices[i],
                                                     ", but the primitive has ", vertex_count,
                                                     " vertices"));
    }
  } else {
    BLENDWIRE_AVATAR_RETURN_IF_ERROR(reader.Spend(vertex_count));
    indices.resize(vertex_count);
    std::iota(indices.begin(), indices.end(), 0u);
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t mode,
                                    GetUint(primitive, "mode", where, kTriangles));
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(reader.Spend(2 * indices.size()));
  if (mode == kStrip) return FromStrip(indices);
  if (mode == kFan) return FromFan(indices);
  indices.resize(indices.size() / 3 * 3);
  return indices;
}

}  // namespace blendwire::avatar

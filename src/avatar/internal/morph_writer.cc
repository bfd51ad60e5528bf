// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/morph_writer.h"

#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/accessor.h"
#include "avatar/internal/accessor_writer.h"
#include "avatar/internal/mesh_targets.h"
#include "avatar/internal/normals.h"
#include "avatar/internal/status_macros.h"
#include "avatar/internal/weight_animations.h"

namespace blendwire::avatar {
namespace {

// A turn by less than this (in radians) is not worth an entry in a sparse accessor.
constexpr double kLeastTurn = 1e-4;

absl::Status CheckTargets(absl::Span<const MorphTarget> targets, size_t floats) {
  absl::flat_hash_set<std::string> names;
  for (size_t t = 0; t < targets.size(); ++t) {
    const std::string where = absl::StrCat("targets[", t, "]");
    const MorphTarget& target = targets[t];
    if (target.name.empty() || !IsUtf8(target.name)) {
      return absl::InvalidArgumentError(absl::StrCat(where, ".name is \"",
                                                     absl::CHexEscape(target.name),
                                                     "\", but must be UTF-8 and not empty"));
    }
    if (!names.insert(target.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, ".name is \"", target.name, "\", as an earlier target's is"));
    }
    if (target.offsets.size() != floats) {
      return absl::InvalidArgumentError(absl::StrCat(where, ".offsets has ", target.offsets.size(),
                                                     " numbers, but the avatar has ", floats / 3,
                                                     " vertices, so ", floats, " are needed"));
    }
    for (size_t i = 0; i < floats; ++i) {
      if (std::isfinite(target.offsets[i])) continue;
      return absl::InvalidArgumentError(
          absl::StrCat(where, ".offsets[", i, "] is ", target.offsets[i], ", but must be finite"));
    }
  }
  return absl::OkStatus();
}

// Adds targets to one mesh.
class MeshWriter {
 public:
  MeshWriter(Document& document, const Geometry& geometry, const MeshPart& part,
             absl::Span<const uint32_t> triangles, const WriteOptions& options)
      : document_(document),
        geometry_(geometry),
        part_(part),
        triangles_(triangles),
        options_(options) {}

  bool Moves(const MorphTarget& target) const;
  absl::StatusOr<MeshReport> Add(absl::Span<const MorphTarget> targets, const Limits& limits);

 private:
  bool Moves(const float* offset) const;
  // Offsets of the mesh's vertices in mesh space, and what they do to the smooth normals.
  std::vector<double> MeshOffsets(const MorphTarget& target) const;
  std::vector<Vec3> NormalsAt(const std::vector<double>& offsets) const;
  Json GroupTarget(const VertexGroup& group, const std::vector<double>& offsets,
                   const std::vector<Vec3>& normals);
  absl::StatusOr<size_t> ZeroAccessor(size_t primitive, const Limits& limits);
  absl::Status Put(const MorphTarget& target, size_t slot, const Limits& limits);
  void PutInto(size_t primitive, size_t slot, Json target);
  void PutNames(const std::vector<std::string>& names);
  void PutWeights(size_t old_count, size_t new_count);

  Json& mesh() { return document_.json["meshes"][part_.mesh]; }

  Document& document_;
  const Geometry& geometry_;
  const MeshPart& part_;
  const absl::Span<const uint32_t> triangles_;
  const WriteOptions& options_;
  std::vector<Vec3> rest_normals_;
  std::map<size_t, size_t> zero_accessors_;  // by number of vertices
};

bool MeshWriter::Moves(const float* offset) const {
  const Vec3 vector = {offset[0], offset[1], offset[2]};
  return Length(vector) > options_.min_displacement;
}

bool MeshWriter::Moves(const MorphTarget& target) const {
  for (size_t i = 0; i < part_.info.vertex_count; ++i) {
    if (Moves(&target.offsets[3 * (part_.info.first_vertex + i)])) return true;
  }
  return false;
}

std::vector<double> MeshWriter::MeshOffsets(const MorphTarget& target) const {
  std::vector<double> offsets(3 * part_.info.vertex_count, 0.0);
  for (size_t i = 0; i < part_.info.vertex_count; ++i) {
    const size_t vertex = part_.info.first_vertex + i;
    const float* offset = &target.offsets[3 * vertex];
    if (!Moves(offset)) continue;
    const Vec3 moved =
        geometry_.to_mesh[geometry_.to_mesh_index[vertex]] * Vec3{offset[0], offset[1], offset[2]};
    for (size_t c = 0; c < 3; ++c) offsets[3 * i + c] = moved[c];
  }
  return offsets;
}

std::vector<Vec3> MeshWriter::NormalsAt(const std::vector<double>& offsets) const {
  std::vector<double> positions = offsets;
  for (size_t i = 0; i < positions.size(); ++i) {
    positions[i] += geometry_.mesh_positions[3 * part_.info.first_vertex + i];
  }
  return SmoothNormals(positions, triangles_, static_cast<uint32_t>(part_.info.first_vertex));
}

Json MeshWriter::GroupTarget(const VertexGroup& group, const std::vector<double>& offsets,
                             const std::vector<Vec3>& normals) {
  const size_t count = group.list.size();
  std::vector<float> positions(3 * count);
  std::vector<float> turns(group.normals.empty() ? 0 : 3 * count, 0.0f);
  for (size_t i = 0; i < count; ++i) {
    const size_t vertex = group.list[i] - part_.info.first_vertex;
    for (size_t c = 0; c < 3; ++c)
      positions[3 * i + c] = static_cast<float>(offsets[3 * vertex + c]);
    if (turns.empty() || normals.empty()) continue;
    const Vec3 normal = {group.normals[3 * i], group.normals[3 * i + 1], group.normals[3 * i + 2]};
    const Vec3 turn = TurnedBy(normal, rest_normals_[vertex], normals[vertex]);
    if (Length(turn) < kLeastTurn) continue;
    for (size_t c = 0; c < 3; ++c) turns[3 * i + c] = static_cast<float>(turn[c]);
  }
  Json target = Json::object();
  target["POSITION"] = AppendMorphAttribute(document_, positions);
  if (!turns.empty() && !normals.empty()) {
    target["NORMAL"] = AppendMorphAttribute(document_, turns);
  }
  return target;
}

// For a primitive of points or lines, whose vertices take no part.
absl::StatusOr<size_t> MeshWriter::ZeroAccessor(size_t primitive, const Limits& limits) {
  const Json& position = mesh()["primitives"][primitive]["attributes"]["POSITION"];
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const size_t accessor,
                                    ToIndex(document_.json, position, "accessors", "POSITION"));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const AccessorLayout layout,
                                    AccessorReader(document_, limits).Layout(accessor));
  if (layout.count == 0 || layout.count > limits.max_vertices) {
    return absl::InvalidArgumentError(absl::StrCat(Where("accessors", accessor), ".count is ",
                                                   layout.count, ", but must be 1 to ",
                                                   limits.max_vertices));
  }
  const auto it = zero_accessors_.find(layout.count);
  if (it != zero_accessors_.end()) return it->second;
  const size_t zero = AppendMorphAttribute(document_, std::vector<float>(3 * layout.count, 0.0f));
  zero_accessors_[layout.count] = zero;
  return zero;
}

void MeshWriter::PutInto(size_t primitive, size_t slot, Json target) {
  Json& targets = MutableList(mesh()["primitives"][primitive], "targets");
  if (slot == targets.size()) {
    targets.push_back(std::move(target));
    return;
  }
  // What is replaced is the shape; what somebody noted about it stays.
  if (const Json* extras = Find(std::as_const(targets[slot]), "extras"); extras != nullptr) {
    target["extras"] = *extras;
  }
  targets[slot] = std::move(target);
}

absl::Status MeshWriter::Put(const MorphTarget& target, size_t slot, const Limits& limits) {
  const std::vector<double> offsets = MeshOffsets(target);
  std::vector<Vec3> normals;
  if (options_.normals) {
    if (rest_normals_.empty()) rest_normals_ = NormalsAt(std::vector<double>(offsets.size(), 0.0));
    normals = NormalsAt(offsets);
  }
  std::vector<bool> done(mesh()["primitives"].size(), false);
  for (const VertexGroup& group : part_.groups) {
    const Json json = GroupTarget(group, offsets, normals);
    for (const size_t primitive : group.primitives) {
      PutInto(primitive, slot, json);
      done[primitive] = true;
    }
  }
  for (size_t primitive = 0; primitive < done.size(); ++primitive) {
    if (done[primitive]) continue;
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const size_t zero, ZeroAccessor(primitive, limits));
    PutInto(primitive, slot, Json{{"POSITION", zero}});
  }
  return absl::OkStatus();
}

void MeshWriter::PutNames(const std::vector<std::string>& names) {
  Json& extras = mesh()["extras"];
  // glTF lets "extras" be anything, but names can only be found in an object.
  if (!extras.is_null() && !extras.is_object()) extras = Json{{"extras", extras}};
  extras["targetNames"] = names;
  for (Json& primitive : mesh()["primitives"]) {
    Json* old = Find(primitive, "extras");
    if (old != nullptr && Find(*old, "targetNames") != nullptr) (*old)["targetNames"] = names;
  }
}

void MeshWriter::PutWeights(size_t old_count, size_t new_count) {
  const auto extend = [&](Json& weights) {
    if (!weights.is_array()) weights = Json::array();
    while (weights.size() > old_count) weights.erase(weights.size() - 1);
    while (weights.size() < new_count) weights.push_back(0.0);
  };
  extend(mesh()["weights"]);
  if (List(document_.json, "nodes").empty()) return;
  for (Json& node : document_.json["nodes"]) {
    const Json* shown = Find(std::as_const(node), "mesh");
    Json* weights = Find(node, "weights");
    if (shown != nullptr && weights != nullptr && *shown == part_.mesh) extend(*weights);
  }
}

absl::StatusOr<MeshReport> MeshWriter::Add(absl::Span<const MorphTarget> targets,
                                           const Limits& limits) {
  MeshReport report;
  report.name = part_.info.name;
  std::vector<std::string> names = part_.info.morph_targets;
  const size_t old_count = names.size();
  absl::flat_hash_map<std::string, size_t> slots;
  for (size_t i = 0; i < names.size(); ++i) slots.emplace(names[i], i);
  for (const MorphTarget& target : targets) {
    const auto it = slots.find(target.name);
    if (it != slots.end() && !options_.overwrite) {
      report.kept.push_back(target.name);
      continue;
    }
    BLENDWIRE_AVATAR_RETURN_IF_ERROR(
        Put(target, it == slots.end() ? names.size() : it->second, limits));
    if (it == slots.end()) {
      names.push_back(target.name);
      report.added.push_back(target.name);
    } else {
      report.replaced.push_back(target.name);
    }
  }
  if (report.added.empty()) return report;
  PutNames(names);
  PutWeights(old_count, names.size());
  ExtendWeightAnimations(document_, part_.mesh, old_count, names.size() - old_count, limits);
  return report;
}

}  // namespace

absl::StatusOr<WriteReport> AddMorphTargets(Document& document, const Geometry& geometry,
                                            absl::Span<const MorphTarget> targets,
                                            const WriteOptions& options, const Limits& limits) {
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(CheckTargets(targets, geometry.vertices.size()));
  WriteReport report;
  size_t first_triangle = 0;
  for (const MeshPart& part : geometry.parts) {
    const auto triangles = absl::MakeConstSpan(geometry.triangles)
                               .subspan(3 * first_triangle, 3 * part.info.triangle_count);
    first_triangle += part.info.triangle_count;
    MeshWriter writer(document, geometry, part, triangles, options);
    bool moves = false;
    for (const MorphTarget& target : targets) moves = moves || writer.Moves(target);
    if (!moves) continue;
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(MeshReport mesh, writer.Add(targets, limits));
    report.meshes.push_back(std::move(mesh));
  }
  return report;
}

}  // namespace blendwire::avatar

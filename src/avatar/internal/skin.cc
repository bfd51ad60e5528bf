// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/skin.h"

#include <array>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/status_macros.h"

namespace blendwire::avatar {
namespace {

void AddScaled(Affine& sum, double weight, const Affine& term) {
  for (size_t i = 0; i < 9; ++i) sum.linear.m[i] += weight * term.linear.m[i];
  for (size_t i = 0; i < 3; ++i) sum.translation[i] += weight * term.translation[i];
}

Affine Zero() {
  Affine zero;
  zero.linear.m.fill(0);
  return zero;
}

absl::Status AddInfluences(AccessorReader& reader, size_t joints_accessor, size_t weights_accessor,
                           const std::string& where, const std::vector<Affine>& joints,
                           std::vector<Affine>& sums, std::vector<double>& totals) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<uint32_t> indices,
                                    reader.Integers(joints_accessor, 4));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<float> weights,
                                    reader.Floats(weights_accessor, 4));
  if (indices.size() != 4 * sums.size() || weights.size() != 4 * sums.size()) {
    return absl::InvalidArgumentError(absl::StrCat(where, " has joints for ", indices.size() / 4,
                                                   " and weights for ", weights.size() / 4,
                                                   " vertices, but there are ", sums.size()));
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    // Exporters leave any joint index where there is no weight.
    if (weights[i] == 0) continue;
    if (indices[i] >= joints.size()) {
      return absl::InvalidArgumentError(absl::StrCat(where, " names joint ", indices[i],
                                                     " at vertex ", i / 4, ", but the skin has ",
                                                     joints.size(), " joints"));
    }
    const double weight = weights[i];
    AddScaled(sums[i / 4], weight, joints[indices[i]]);
    totals[i / 4] += weight;
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Affine>> JointTransforms(AccessorReader& reader, const NodeGraph& graph,
                                                    size_t skin) {
  const Json& root = reader.document().json;
  const Json& json = List(root, "skins")[skin];
  const std::string where = Where("skins", skin);
  const Json* list = Find(json, "joints");
  if (list == nullptr || !list->is_array() || list->empty()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ".joints must be an array of nodes"));
  }
  std::vector<Affine> joints;
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(reader.Spend(16 * list->size()));
  for (size_t i = 0; i < list->size(); ++i) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
        const size_t node,
        ToIndex(root, (*list)[i], "nodes", absl::StrCat(where, ".joints[", i, "]")));
    joints.push_back(graph.world[node]);
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const std::optional<size_t> binds,
      GetIndex(root, json, "inverseBindMatrices", "accessors", where));
  if (!binds.has_value()) return joints;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<float> matrices, reader.Floats(*binds, 16));
  if (matrices.size() < 16 * joints.size()) {
    return absl::InvalidArgumentError(absl::StrCat(where, " has ", joints.size(), " joints, but ",
                                                   matrices.size() / 16, " inverse bind matrices"));
  }
  for (size_t i = 0; i < joints.size(); ++i) {
    std::array<double, 16> columns = {};
    for (size_t k = 0; k < 16; ++k) columns[k] = matrices[16 * i + k];
    joints[i] = joints[i] * FromColumns(columns);
  }
  return joints;
}

absl::StatusOr<std::vector<Affine>> BlendJoints(AccessorReader& reader, const Json& attributes,
                                                const std::string& where, size_t count,
                                                const std::vector<Affine>& joints,
                                                const Affine& unweighted) {
  const Json& root = reader.document().json;
  std::vector<Affine> sums(count, Zero());
  std::vector<double> totals(count, 0.0);
  for (int set = 0;; ++set) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
        const std::optional<size_t> joints_accessor,
        GetIndex(root, attributes, absl::StrCat("JOINTS_", set), "accessors", where));
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
        const std::optional<size_t> weights_accessor,
        GetIndex(root, attributes, absl::StrCat("WEIGHTS_", set), "accessors", where));
    if (!joints_accessor.has_value() || !weights_accessor.has_value()) break;
    BLENDWIRE_AVATAR_RETURN_IF_ERROR(
        AddInfluences(reader, *joints_accessor, *weights_accessor, where, joints, sums, totals));
  }
  for (size_t i = 0; i < count; ++i) {
    if (totals[i] > 0) {
      Affine blend = Zero();
      AddScaled(blend, 1.0 / totals[i], sums[i]);
      sums[i] = blend;
    } else {
      sums[i] = unweighted;
    }
  }
  return sums;
}

}  // namespace blendwire::avatar

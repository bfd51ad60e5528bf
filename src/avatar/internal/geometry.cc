// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/geometry.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "avatar/internal/accessor.h"
#include "avatar/internal/mesh_targets.h"
#include "avatar/internal/node_graph.h"
#include "avatar/internal/skin.h"
#include "avatar/internal/status_macros.h"
#include "avatar/internal/triangles.h"
#include "avatar/internal/vertex_joiner.h"

namespace blendwire::avatar {
namespace {

// A mesh and the node whose place it takes.
struct Shown {
  size_t mesh = 0;
  size_t node = 0;
};

// What a vertex group is known by: primitives with the same accessors here share their vertices.
std::string GroupKey(const Json& primitive) {
  const Json& attributes = *Find(primitive, "attributes");
  std::string key;
  for (const auto& [name, accessor] : attributes.items()) {
    const bool counts = name == "POSITION" || name == "NORMAL" || name.starts_with("JOINTS_") ||
                        name.starts_with("WEIGHTS_");
    if (counts) absl::StrAppend(&key, name, "=", accessor.dump(), ";");
  }
  for (const Json& target : List(primitive, "targets")) {
    const Json* position = Find(target, "POSITION");
    absl::StrAppend(&key, position == nullptr ? "-" : position->dump(), ",");
  }
  return key;
}

class GeometryReader {
 public:
  GeometryReader(const Document& document, const ReadOptions& options, const NodeGraph& graph)
      : document_(document),
        options_(options),
        graph_(graph),
        reader_(document, options.limits),
        to_contract_(ToContractAxes(document.faces_backward())) {}

  absl::Status ReadMesh(const Shown& shown);
  Geometry Finish() { return std::move(geometry_); }

 private:
  // The vertices of one primitive while they are read.
  struct RawVertices {
    std::vector<float> positions;
    std::vector<float> normals;
    std::vector<uint64_t> fingerprints;
    // Mesh space to scene space: one, or one per vertex.
    std::vector<Affine> transforms;
  };

  absl::StatusOr<RawVertices> ReadVertices(const Json& primitive, const std::string& where,
                                           const Shown& shown);
  absl::Status MixIn(const Json& attributes, const std::string& name, const std::string& where,
                     RawVertices& vertices);
  absl::StatusOr<std::vector<Affine>> Transforms(const Json& attributes, const std::string& where,
                                                 const Shown& shown, size_t count);
  absl::StatusOr<VertexGroup> AddGroup(RawVertices vertices, VertexJoiner& joiner,
                                       const std::string& where);
  absl::Status AddTriangles(const Json& primitive, const std::string& where,
                            const VertexGroup& group, MeshPart& part);
  absl::StatusOr<const std::vector<Affine>*> Joints(size_t skin);

  const Document& document_;
  const ReadOptions& options_;
  const NodeGraph& graph_;
  AccessorReader reader_;
  const Mat3 to_contract_;
  Geometry geometry_;
  std::vector<bool> mirrored_;  // [N] whether the vertex's transform turns the surface inside out
  uint64_t stored_vertices_ = 0;
  size_t flattened_ = 0;  // vertices that nothing can move
  absl::flat_hash_map<size_t, std::vector<Affine>> joints_;
};

absl::StatusOr<const std::vector<Affine>*> GeometryReader::Joints(size_t skin) {
  const auto it = joints_.find(skin);
  if (it != joints_.end()) return &it->second;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(std::vector<Affine> joints,
                                    JointTransforms(reader_, graph_, skin));
  return &joints_.emplace(skin, std::move(joints)).first->second;
}

absl::StatusOr<std::vector<Affine>> GeometryReader::Transforms(const Json& attributes,
                                                               const std::string& where,
                                                               const Shown& shown, size_t count) {
  const Json& root = document_.json;
  const Affine& world = graph_.world[shown.node];
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const std::optional<size_t> skin,
      GetIndex(root, List(root, "nodes")[shown.node], "skin", "skins", Where("nodes", shown.node)));
  if (!skin.has_value() || Find(attributes, "JOINTS_0") == nullptr) return std::vector{world};
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<Affine>* joints, Joints(*skin));
  return BlendJoints(reader_, attributes, where, count, *joints, world);
}

// Takes the numbers of one attribute or target into the vertices' fingerprints.
absl::Status GeometryReader::MixIn(const Json& attributes, const std::string& name,
                                   const std::string& where, RawVertices& vertices) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::optional<size_t> accessor,
                                    GetIndex(document_.json, attributes, name, "accessors", where));
  if (!accessor.has_value()) return absl::OkStatus();
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const AccessorLayout layout, reader_.Layout(*accessor));
  const size_t count = vertices.fingerprints.size();
  if (layout.count != count) {
    return absl::InvalidArgumentError(absl::StrCat(where, ".", name, " has ", layout.count,
                                                   " elements, but the primitive has ", count,
                                                   " vertices"));
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<float> values,
                                    reader_.Floats(*accessor, layout.components));
  for (size_t i = 0; i < values.size(); ++i) {
    uint64_t& fingerprint = vertices.fingerprints[i / layout.components];
    fingerprint = MixFingerprint(fingerprint, std::bit_cast<uint32_t>(values[i] + 0.0f));
  }
  return absl::OkStatus();
}

absl::StatusOr<GeometryReader::RawVertices> GeometryReader::ReadVertices(const Json& primitive,
                                                                         const std::string& where,
                                                                         const Shown& shown) {
  const Json& root = document_.json;
  const Json& attributes = *Find(primitive, "attributes");
  RawVertices vertices;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
      const size_t position, ToIndex(root, *Find(attributes, "POSITION"), "accessors", where));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const AccessorLayout layout, reader_.Layout(position));
  stored_vertices_ += layout.count;
  if (stored_vertices_ > options_.limits.max_vertices) {
    return absl::InvalidArgumentError(absl::StrCat("the meshes have more than ",
                                                   options_.limits.max_vertices,
                                                   " vertices, which is the limit"));
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(vertices.positions, reader_.Floats(position, 3));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::optional<size_t> normal,
                                    GetIndex(root, attributes, "NORMAL", "accessors", where));
  if (normal.has_value()) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(vertices.normals, reader_.Floats(*normal, 3));
    if (vertices.normals.size() != vertices.positions.size()) {
      return absl::InvalidArgumentError(absl::StrCat(where, " has ", layout.count,
                                                     " vertices, but ", vertices.normals.size() / 3,
                                                     " normals"));
    }
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(vertices.transforms,
                                    Transforms(attributes, where, shown, layout.count));
  vertices.fingerprints.assign(layout.count, 0);
  // Also where no vertices are to be joined: a reference to an accessor that is not there would lead
  // to one of ours once the file is written.
  for (int set = 0; Find(attributes, absl::StrCat("JOINTS_", set)) != nullptr; ++set) {
    for (const char* name : {"JOINTS_", "WEIGHTS_"}) {
      BLENDWIRE_AVATAR_RETURN_IF_ERROR(MixIn(attributes, absl::StrCat(name, set), where, vertices));
    }
  }
  for (const Json& target : List(primitive, "targets")) {
    const std::string targets = absl::StrCat(where, ".targets");
    BLENDWIRE_AVATAR_RETURN_IF_ERROR(MixIn(target, "POSITION", targets, vertices));
    for (const char* name : {"NORMAL", "TANGENT"}) {
      BLENDWIRE_AVATAR_RETURN_IF_ERROR(
          GetIndex(root, target, name, "accessors", targets).status());
    }
  }
  return vertices;
}

absl::StatusOr<VertexGroup> GeometryReader::AddGroup(RawVertices vertices, VertexJoiner& joiner,
                                                     const std::string& where) {
  VertexGroup group;
  const size_t count = vertices.positions.size() / 3;
  const bool rigid = vertices.transforms.size() == 1 && count != 1;
  const auto at = [](const std::vector<float>& values, size_t i) {
    return values.empty()
               ? std::array<float, 3>{0, 0, 0}
               : std::array<float, 3>{values[3 * i], values[3 * i + 1], values[3 * i + 2]};
  };
  const size_t first_inverse = geometry_.to_mesh.size();
  if (rigid) {
    geometry_.to_mesh.push_back(InverseOrZero(to_contract_ * vertices.transforms[0].linear));
  }
  for (size_t i = 0; i < count; ++i) {
    const std::array<float, 3> position = at(vertices.positions, i);
    const auto next = static_cast<uint32_t>(geometry_.vertices.size() / 3);
    const uint32_t index =
        options_.join_split_vertices
            ? joiner.Add(next, position, vertices.fingerprints[i], at(vertices.normals, i))
            : next;
    group.list.push_back(index);
    if (index != next) continue;
    const Affine& transform = vertices.transforms[rigid ? 0 : i];
    const Vec3 point = to_contract_ * (transform * Vec3{position[0], position[1], position[2]});
    for (const double coordinate : point) {
      geometry_.vertices.push_back(static_cast<float>(coordinate));
      if (!std::isfinite(geometry_.vertices.back())) {
        return absl::InvalidArgumentError(
            absl::StrCat(where, ": vertex ", i, " is at no finite place in the scene"));
      }
    }
    geometry_.mesh_positions.insert(geometry_.mesh_positions.end(), position.begin(),
                                    position.end());
    if (!rigid) geometry_.to_mesh.push_back(InverseOrZero(to_contract_ * transform.linear));
    geometry_.to_mesh_index.push_back(
        static_cast<uint32_t>(rigid ? first_inverse : geometry_.to_mesh.size() - 1));
    if (geometry_.to_mesh[geometry_.to_mesh_index.back()].m == std::array<double, 9>{}) {
      ++flattened_;
    }
    mirrored_.push_back(Determinant(transform.linear) < 0);
  }
  group.normals = std::move(vertices.normals);
  return group;
}

absl::Status GeometryReader::AddTriangles(const Json& primitive, const std::string& where,
                                          const VertexGroup& group, MeshPart& part) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<uint32_t> indices,
                                    ReadTriangles(reader_, primitive, where, group.list.size()));
  for (size_t t = 0; t + 2 < indices.size(); t += 3) {
    const uint32_t a = group.list[indices[t]];
    uint32_t b = group.list[indices[t + 1]];
    uint32_t c = group.list[indices[t + 2]];
    if (a == b || b == c || c == a) continue;
    if (mirrored_[a]) std::swap(b, c);
    geometry_.triangles.insert(geometry_.triangles.end(), {a, b, c});
    ++part.info.triangle_count;
  }
  if (geometry_.triangles.size() / 3 > options_.limits.max_triangles) {
    return absl::InvalidArgumentError(absl::StrCat("the meshes have more than ",
                                                   options_.limits.max_triangles,
                                                   " triangles, which is the limit"));
  }
  return absl::OkStatus();
}

absl::Status GeometryReader::ReadMesh(const Shown& shown) {
  const Json& root = document_.json;
  const Json& mesh = List(root, "meshes")[shown.mesh];
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const Json* primitives, CheckedPrimitives(root, shown.mesh));
  MeshPart part;
  part.mesh = shown.mesh;
  part.info.name = GetText(mesh, "name");
  if (part.info.name.empty()) part.info.name = GetText(List(root, "nodes")[shown.node], "name");
  if (part.info.name.empty()) part.info.name = Where("meshes", shown.mesh);
  part.info.first_vertex = geometry_.vertices.size() / 3;
  part.info.morph_targets = TargetNames(mesh);
  VertexJoiner joiner;
  std::map<std::string, size_t> groups;
  for (size_t i = 0; i < primitives->size(); ++i) {
    const Json& primitive = (*primitives)[i];
    const std::string where = absl::StrCat(Where("meshes", shown.mesh), ".primitives[", i, "]");
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const bool has_triangles, HasTriangles(primitive, where));
    if (!has_triangles) continue;
    const auto [it, is_new] = groups.emplace(GroupKey(primitive), part.groups.size());
    if (is_new) {
      BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(RawVertices vertices,
                                        ReadVertices(primitive, where, shown));
      BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(VertexGroup group,
                                        AddGroup(std::move(vertices), joiner, where));
      part.groups.push_back(std::move(group));
    }
    VertexGroup& group = part.groups[it->second];
    group.primitives.push_back(i);
    BLENDWIRE_AVATAR_RETURN_IF_ERROR(AddTriangles(primitive, where, group, part));
  }
  part.info.vertex_count = geometry_.vertices.size() / 3 - part.info.first_vertex;
  if (flattened_ > 0) {
    geometry_.warnings.push_back(
        absl::StrCat(flattened_, " vertices of mesh \"", part.info.name,
                     "\" are scaled to nothing in the file's pose; no morph target can move them"));
    flattened_ = 0;
  }
  if (part.info.vertex_count > 0) geometry_.parts.push_back(std::move(part));
  return absl::OkStatus();
}

// The meshes of the default scene in the order of its nodes, each once.
absl::StatusOr<std::vector<Shown>> ShownMeshes(const Json& root, const NodeGraph& graph,
                                               std::vector<std::string>& warnings) {
  std::vector<Shown> shown;
  absl::flat_hash_map<size_t, int> times;
  for (const size_t node : graph.shown) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
        const std::optional<size_t> mesh,
        GetIndex(root, List(root, "nodes")[node], "mesh", "meshes", Where("nodes", node)));
    if (!mesh.has_value()) continue;
    const int count = ++times[*mesh];
    if (count == 1) shown.push_back({*mesh, node});
    if (count == 2) {
      warnings.push_back(absl::StrCat(Where("meshes", *mesh),
                                      " is shown by several nodes; it was read where the first one "
                                      "puts it, and all show its morph targets"));
    }
  }
  return shown;
}

// Those that are asked for by name, in the scene's order.
absl::StatusOr<std::vector<Shown>> Selected(const Json& root, const NodeGraph& graph,
                                            const std::vector<Shown>& all,
                                            const std::vector<std::string>& names) {
  if (names.empty()) return all;
  absl::flat_hash_map<std::string, absl::flat_hash_set<size_t>> by_name;
  std::vector<std::string> known;
  for (const Shown& shown : all) {
    const std::string name = GetText(List(root, "meshes")[shown.mesh], "name");
    if (by_name[name].insert(shown.mesh).second && !name.empty()) known.push_back(name);
  }
  for (const size_t node : graph.shown) {
    const Json& json = List(root, "nodes")[node];
    const Json* mesh = Find(json, "mesh");
    if (mesh != nullptr) by_name[GetText(json, "name")].insert(mesh->get<size_t>());
  }
  absl::flat_hash_set<size_t> wanted;
  for (const std::string& name : names) {
    const auto it = by_name.find(name);
    if (name.empty() || it == by_name.end()) {
      if (known.size() > 20) known.resize(20);
      return absl::NotFoundError(absl::StrCat("there is no mesh named \"", name,
                                              "\"; the file shows: ", absl::StrJoin(known, ", ")));
    }
    wanted.insert(it->second.begin(), it->second.end());
  }
  std::vector<Shown> selected;
  for (const Shown& shown : all) {
    if (wanted.contains(shown.mesh)) selected.push_back(shown);
  }
  return selected;
}

}  // namespace

absl::StatusOr<Geometry> ReadGeometry(const Document& document, const ReadOptions& options) {
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const NodeGraph graph, BuildNodeGraph(document.json));
  std::vector<std::string> warnings;
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<Shown> all,
                                    ShownMeshes(document.json, graph, warnings));
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::vector<Shown> selected,
                                    Selected(document.json, graph, all, options.meshes));
  GeometryReader reader(document, options, graph);
  for (const Shown& shown : selected) {
    BLENDWIRE_AVATAR_RETURN_IF_ERROR(reader.ReadMesh(shown));
  }
  Geometry geometry = reader.Finish();
  if (geometry.triangles.empty()) {
    return absl::InvalidArgumentError("the file shows no mesh with triangles");
  }
  geometry.warnings.insert(geometry.warnings.begin(), warnings.begin(), warnings.end());
  return geometry;
}

}  // namespace blendwire::avatar

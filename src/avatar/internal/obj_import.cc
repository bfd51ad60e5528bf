// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/obj_import.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/accessor_writer.h"
#include "avatar/internal/obj_parser.h"
#include "avatar/internal/polygon.h"
#include "avatar/internal/status_macros.h"
#include "avatar/internal/transform.h"

namespace blendwire::avatar {
namespace {

// One object as a glTF mesh: a vertex for each different corner, in the order of the file's
// positions.
class ObjectBuilder {
 public:
  explicit ObjectBuilder(const ObjFile& file) : file_(file) {}

  void AddFace(const ObjFace& face) {
    std::vector<Vec3> points;
    for (const ObjCorner& corner : face.corners) {
      const float* p = &file_.positions[3 * static_cast<size_t>(corner.position)];
      points.push_back({p[0], p[1], p[2]});
      all_normals_ = all_normals_ && corner.normal >= 0;
      some_textures_ = some_textures_ || corner.texture >= 0;
    }
    std::vector<Corner>& corners = corners_[face.material];
    for (const auto& triangle : TriangulatePolygon(points)) {
      for (const size_t i : triangle) {
        const ObjCorner& corner = face.corners[i];
        corners.push_back({corner.position, corner.texture, corner.normal});
      }
    }
  }

  // Appends the object as a mesh to the document.
  void Append(Document& document, const std::string& name) const {
    const std::vector<Corner> vertices = Vertices();
    const Json attributes = Attributes(document, vertices);
    Json primitives = Json::array();
    for (const auto& [material, corners] : corners_) {
      std::vector<uint32_t> indices;
      for (const Corner& corner : corners) {
        const auto it = std::lower_bound(vertices.begin(), vertices.end(), corner);
        indices.push_back(static_cast<uint32_t>(it - vertices.begin()));
      }
      Json primitive = {{"attributes", attributes}, {"indices", AppendIndices(document, indices)}};
      if (material >= 0) primitive["material"] = material;
      primitives.push_back(std::move(primitive));
    }
    Json mesh = Json::object();
    if (!name.empty()) mesh["name"] = name;
    mesh["primitives"] = std::move(primitives);
    MutableList(document.json, "meshes").push_back(std::move(mesh));
  }

 private:
  using Corner = std::array<int64_t, 3>;  // position, texture, normal

  std::vector<Corner> Vertices() const {
    std::vector<Corner> vertices;
    for (const auto& [material, corners] : corners_) {
      vertices.insert(vertices.end(), corners.begin(), corners.end());
    }
    std::sort(vertices.begin(), vertices.end());
    vertices.erase(std::unique(vertices.begin(), vertices.end()), vertices.end());
    return vertices;
  }

  Json Attributes(Document& document, const std::vector<Corner>& vertices) const {
    std::vector<float> positions;
    std::vector<float> textures;
    std::vector<float> normals;
    for (const auto& [position, texture, normal] : vertices) {
      Take(positions, file_.positions, position, 3);
      Take(textures, file_.textures, texture, 2);
      // .obj counts texture rows from the bottom, glTF from the top.
      textures.back() = 1.0f - textures.back();
      Take(normals, file_.normals, normal, 3);
    }
    Json attributes = Json::object();
    attributes["POSITION"] = AppendFloats(document, positions, 3, ViewTarget::kVertices, true);
    if (all_normals_) {
      attributes["NORMAL"] = AppendFloats(document, normals, 3, ViewTarget::kVertices, false);
    }
    if (some_textures_) {
      attributes["TEXCOORD_0"] = AppendFloats(document, textures, 2, ViewTarget::kVertices, false);
    }
    return attributes;
  }

  static void Take(std::vector<float>& to, const std::vector<float>& from, int64_t index,
                   size_t width) {
    for (size_t c = 0; c < width; ++c) {
      to.push_back(index < 0 ? 0.0f : from[static_cast<size_t>(index) * width + c]);
    }
  }

  const ObjFile& file_;
  std::map<int, std::vector<Corner>> corners_;  // three per triangle, by material
  bool all_normals_ = true;
  bool some_textures_ = false;
};

void AddMaterials(const ObjFile& file, Json& root) {
  for (const ObjMaterial& material : file.materials) {
    Json pbr = {{"baseColorFactor", material.colour}, {"metallicFactor", 0.0}};
    if (!material.texture.empty()) {
      Json& images = MutableList(root, "images");
      images.push_back({{"uri", material.texture}});
      MutableList(root, "textures").push_back({{"source", root["images"].size() - 1}});
      pbr["baseColorTexture"] = {{"index", root["textures"].size() - 1}};
    }
    Json json = Json::object();
    if (!material.name.empty()) json["name"] = material.name;
    json["pbrMetallicRoughness"] = std::move(pbr);
    if (material.colour[3] < 1) json["alphaMode"] = "BLEND";
    MutableList(root, "materials").push_back(std::move(json));
  }
}

void AddNodes(Document& document, double unit) {
  Json nodes = Json::array();
  Json roots = Json::array();
  for (const Json& mesh : List(document.json, "meshes")) {
    Json node = Json::object();
    if (const std::string name = GetText(mesh, "name"); !name.empty()) node["name"] = name;
    node["mesh"] = nodes.size();
    if (unit != 1.0) node["scale"] = {unit, unit, unit};
    roots.push_back(nodes.size());
    nodes.push_back(std::move(node));
  }
  document.json["nodes"] = std::move(nodes);
  document.json["scenes"] = Json::array({Json{{"nodes", std::move(roots)}}});
  document.json["scene"] = 0;
}

}  // namespace

absl::StatusOr<Document> ImportObj(absl::string_view text, const std::filesystem::path& folder,
                                   const ReadOptions& options) {
  if (!(options.obj_unit > 1e-6 && options.obj_unit < 1e6)) {
    return absl::InvalidArgumentError(
        absl::StrCat("obj_unit is ", options.obj_unit, ", but must be 1e-6 to 1e6 metres"));
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const ObjFile file, ParseObjText(text, folder, options.limits));
  if (file.faces.empty()) return absl::InvalidArgumentError("the .obj file has no faces");
  std::map<size_t, ObjectBuilder> objects;
  for (const ObjFace& face : file.faces) {
    objects.try_emplace(face.object, file).first->second.AddFace(face);
  }
  Document document;
  document.json = {{"asset", {{"version", "2.0"}, {"generator", "Blendwire"}}}};
  AddMaterials(file, document.json);
  for (const auto& [index, object] : objects) object.Append(document, file.objects[index]);
  AddNodes(document, options.obj_unit);
  EmbedImages(document, folder, options.limits);
  return document;
}

}  // namespace blendwire::avatar

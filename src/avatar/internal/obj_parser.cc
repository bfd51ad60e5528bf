// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/obj_parser.h"

#include <cmath>
#include <map>
#include <sstream>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/json_access.h"
#include "avatar/internal/uris.h"
#include "system/files.h"

#define TINYOBJLOADER_IMPLEMENTATION
#include "tiny_obj_loader.h"

namespace blendwire::avatar {
namespace {

constexpr uint64_t kMaxMaterialFileBytes = uint64_t{16} << 20;

// JSON takes UTF-8 only, and old files have names in other encodings.
std::string CleanName(const std::string& name) { return IsUtf8(name) ? name : std::string(); }

// Reads .mtl files of the avatar's own folder.
class FolderMaterials : public tinyobj::MaterialReader {
 public:
  explicit FolderMaterials(std::filesystem::path folder) : folder_(std::move(folder)) {}

  bool operator()(const std::string& name, std::vector<tinyobj::material_t>* materials,
                  std::map<std::string, int>* by_name, std::string* warning,
                  std::string* error) override {
    if (folder_.empty()) return false;
    const absl::StatusOr<std::filesystem::path> file = ResolveUri(folder_, name);
    if (!file.ok()) return false;
    const absl::StatusOr<std::string> text = system::ReadFile(*file, kMaxMaterialFileBytes);
    if (!text.ok()) return false;
    std::istringstream stream(*text);
    tinyobj::LoadMtl(by_name, materials, &stream, warning, error);
    return true;
  }

 private:
  std::filesystem::path folder_;
};

// Collects what the parser finds.
class Collector {
 public:
  explicit Collector(const Limits& limits) : limits_(limits) {}

  void AddPosition(float x, float y, float z) {
    file_.positions.insert(file_.positions.end(), {x, y, z});
    if (!std::isfinite(x + y + z)) {
      Fail(absl::StrCat("vertex ", file_.positions.size() / 3, " is not finite"));
    }
    if (file_.positions.size() / 3 > limits_.max_vertices) {
      Fail(absl::StrCat("the file has more than ", limits_.max_vertices,
                        " vertices, which is the limit"));
    }
  }

  void AddNormal(float x, float y, float z) {
    const bool finite = std::isfinite(x + y + z);
    file_.normals.insert(file_.normals.end(), {finite ? x : 0, finite ? y : 0, finite ? z : 0});
  }

  void AddTexture(float u, float v) {
    const bool finite = std::isfinite(u + v);
    file_.textures.insert(file_.textures.end(), {finite ? u : 0, finite ? v : 0});
  }

  void AddFace(const tinyobj::index_t* indices, int count) {
    if (!status_.ok()) return;
    if (count < 3) return;  // points and edges
    ObjFace face;
    if (file_.objects.empty()) StartObject("");
    face.object = file_.objects.size() - 1;
    face.material = material_;
    for (int i = 0; i < count; ++i) {
      ObjCorner corner;
      corner.position = Resolve(indices[i].vertex_index, file_.positions.size() / 3);
      corner.texture = Resolve(indices[i].texcoord_index, file_.textures.size() / 2);
      corner.normal = Resolve(indices[i].normal_index, file_.normals.size() / 3);
      if (corner.position < 0) {
        Fail(absl::StrCat("face ", file_.faces.size() + 1, " names vertex ",
                          indices[i].vertex_index, ", but ", file_.positions.size() / 3,
                          " vertices stand before it (the first is 1)"));
        return;
      }
      face.corners.push_back(corner);
    }
    triangles_ += static_cast<uint64_t>(count) - 2;
    if (triangles_ > limits_.max_triangles) {
      Fail(absl::StrCat("the file has more than ", limits_.max_triangles,
                        " triangles, which is the limit"));
    }
    file_.faces.push_back(std::move(face));
  }

  void StartObject(const std::string& name) { file_.objects.push_back(CleanName(name)); }
  void UseMaterial(int material) { material_ = material; }

  void SetMaterials(const tinyobj::material_t* materials, int count) {
    file_.materials.clear();
    for (int i = 0; i < count; ++i) {
      ObjMaterial material;
      material.name = CleanName(materials[i].name);
      for (size_t c = 0; c < 3; ++c) material.colour[c] = Unit(materials[i].diffuse[c], 0.8);
      material.colour[3] = Unit(materials[i].dissolve, 1.0);
      material.texture = CleanName(materials[i].diffuse_texname);
      file_.materials.push_back(std::move(material));
    }
  }

  absl::StatusOr<ObjFile> Finish() {
    if (!status_.ok()) return status_;
    return std::move(file_);
  }

 private:
  void Fail(absl::string_view message) {
    if (status_.ok()) status_ = absl::InvalidArgumentError(message);
  }

  static double Unit(double value, double otherwise) {
    return value >= 0 && value <= 1 ? value : otherwise;
  }

  // From 1 up, or from -1 down for the last one so far, as the file has it; -1 if there is no such.
  static int64_t Resolve(int index, size_t size) {
    const auto count = static_cast<int64_t>(size);
    const int64_t resolved = index > 0 ? int64_t{index} - 1 : count + index;
    return index == 0 || resolved < 0 || resolved >= count ? -1 : resolved;
  }

  const Limits& limits_;
  ObjFile file_;
  absl::Status status_;
  int material_ = -1;
  uint64_t triangles_ = 0;
};

Collector& Of(void* user_data) { return *static_cast<Collector*>(user_data); }

tinyobj::callback_t Callbacks() {
  tinyobj::callback_t callbacks;
  callbacks.vertex_cb = [](void* to, float x, float y, float z, float) {
    Of(to).AddPosition(x, y, z);
  };
  callbacks.normal_cb = [](void* to, float x, float y, float z) { Of(to).AddNormal(x, y, z); };
  callbacks.texcoord_cb = [](void* to, float u, float v, float) { Of(to).AddTexture(u, v); };
  callbacks.index_cb = [](void* to, tinyobj::index_t* indices, int count) {
    Of(to).AddFace(indices, count);
  };
  callbacks.usemtl_cb = [](void* to, const char*, int material) { Of(to).UseMaterial(material); };
  callbacks.mtllib_cb = [](void* to, const tinyobj::material_t* materials, int count) {
    Of(to).SetMaterials(materials, count);
  };
  callbacks.object_cb = [](void* to, const char* name) {
    Of(to).StartObject(name == nullptr ? "" : name);
  };
  return callbacks;
}

}  // namespace

absl::StatusOr<ObjFile> ParseObjText(absl::string_view text, const std::filesystem::path& folder,
                                     const Limits& limits) {
  Collector collector(limits);
  FolderMaterials materials(folder);
  std::istringstream stream{std::string(text)};
  std::string warning;
  std::string error;
  if (!tinyobj::LoadObjWithCallback(stream, Callbacks(), &collector, &materials, &warning,
                                    &error)) {
    return absl::InvalidArgumentError(absl::StrCat("the .obj file is broken: ", error));
  }
  return collector.Finish();
}

}  // namespace blendwire::avatar

// SPDX-License-Identifier: Apache-2.0

#include "avatar/testing/gltf_builder.h"

#include <cstring>
#include <stdexcept>

namespace blendwire::avatar::testing {
namespace {

std::string Word(size_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
  return bytes;
}

size_t ReadWord(const std::string& bytes, size_t at) {
  size_t value = 0;
  for (size_t i = 0; i < 4; ++i) {
    value |= static_cast<size_t>(static_cast<unsigned char>(bytes.at(at + i))) << (8 * i);
  }
  return value;
}

std::string Padded(std::string bytes, char with) {
  while (bytes.size() % 4 != 0) bytes += with;
  return bytes;
}

}  // namespace

GltfBuilder::GltfBuilder() {
  root = Json::parse(R"({"asset": {"version": "2.0"}, "scene": 0, "scenes": [{"nodes": []}],
                         "nodes": [], "meshes": [], "accessors": [], "bufferViews": []})");
}

size_t GltfBuilder::AddView(const std::string& bytes, int stride) {
  bin = Padded(bin, '\0');
  Json view = {{"buffer", 0}, {"byteOffset", bin.size()}, {"byteLength", bytes.size()}};
  if (stride > 0) view["byteStride"] = stride;
  bin += bytes;
  root["bufferViews"].push_back(view);
  return root["bufferViews"].size() - 1;
}

size_t GltfBuilder::AddAccessor(const std::string& bytes, int component_type,
                                const std::string& type, size_t count) {
  const size_t view = AddView(bytes);
  root["accessors"].push_back(
      {{"bufferView", view}, {"componentType", component_type}, {"count", count}, {"type", type}});
  return root["accessors"].size() - 1;
}

size_t GltfBuilder::AddVec3(const std::vector<float>& values) {
  return AddAccessor(Pack(values), 5126, "VEC3", values.size() / 3);
}

size_t GltfBuilder::AddIndices(const std::vector<uint16_t>& indices) {
  return AddAccessor(Pack(indices), 5123, "SCALAR", indices.size());
}

size_t GltfBuilder::AddMesh(const std::string& name, Json primitive) {
  root["meshes"].push_back({{"name", name}, {"primitives", Json::array({primitive})}});
  const size_t mesh = root["meshes"].size() - 1;
  AddNode({{"mesh", mesh}});
  return mesh;
}

size_t GltfBuilder::AddNode(Json node) {
  root["nodes"].push_back(node);
  root["scenes"][0]["nodes"].push_back(root["nodes"].size() - 1);
  return root["nodes"].size() - 1;
}

std::string GltfBuilder::Glb() const {
  Json json = root;
  json["buffers"] = Json::array({{{"byteLength", bin.size()}}});
  const std::string text = Padded(json.dump(), ' ');
  const std::string data = Padded(bin, '\0');
  return "glTF" + Word(2) + Word(28 + text.size() + data.size()) + Word(text.size()) + "JSON" +
         text + Word(data.size()) + std::string("BIN\0", 4) + data;
}

std::string GltfBuilder::Gltf(const std::string& uri) const {
  Json json = root;
  json["buffers"] = Json::array({{{"byteLength", bin.size()}, {"uri", uri}}});
  return json.dump(2);
}

GlbParts SplitGlb(const std::string& glb) {
  if (glb.compare(0, 4, "glTF") != 0 || ReadWord(glb, 4) != 2 || ReadWord(glb, 8) != glb.size()) {
    throw std::runtime_error("bad GLB header");
  }
  const size_t json_size = ReadWord(glb, 12);
  if (json_size % 4 != 0 || glb.compare(16, 4, "JSON") != 0) {
    throw std::runtime_error("bad JSON chunk");
  }
  GlbParts parts;
  parts.root = Json::parse(glb.substr(20, json_size));
  const size_t at = 20 + json_size;
  if (at == glb.size()) return parts;
  const size_t bin_size = ReadWord(glb, at);
  if (bin_size % 4 != 0 || glb.compare(at + 4, 4, std::string("BIN\0", 4)) != 0 ||
      at + 8 + bin_size > glb.size()) {
    throw std::runtime_error("bad BIN chunk");
  }
  parts.bin = glb.substr(at + 8, bin_size);
  const size_t length = parts.root["buffers"][0]["byteLength"].get<size_t>();
  if (length > bin_size || bin_size - length > 3) throw std::runtime_error("bad buffer length");
  return parts;
}

Json SquarePrimitive(GltfBuilder& builder) {
  const size_t positions =
      builder.AddVec3({-0.1f, 0, 0.1f, 0.1f, 0, 0.1f, 0.1f, 0.2f, 0.1f, -0.1f, 0.2f, 0.1f});
  const size_t normals = builder.AddVec3({0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1});
  const size_t indices = builder.AddIndices({0, 1, 2, 0, 2, 3});
  return {{"attributes", {{"POSITION", positions}, {"NORMAL", normals}}}, {"indices", indices}};
}

}  // namespace blendwire::avatar::testing

// SPDX-License-Identifier: Apache-2.0

#include "avatar/testing/gltf_reference.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>

namespace blendwire::avatar::testing {
namespace {

using Matrix = std::array<std::array<double, 4>, 4>;

const std::map<std::string, size_t> kWidths = {
    {"SCALAR", 1}, {"VEC2", 2}, {"VEC3", 3}, {"VEC4", 4}, {"MAT4", 16}};

size_t ComponentSize(int type) { return type <= 5121 ? 1 : type <= 5123 ? 2 : 4; }

double Component(const std::string& bytes, size_t at, int type, bool normalized) {
  const auto read = [&](auto value) {
    if (at + sizeof(value) > bytes.size()) throw std::runtime_error("accessor out of range");
    std::memcpy(&value, bytes.data() + at, sizeof(value));
    return static_cast<double>(value);
  };
  switch (type) {
    case 5120:
      return normalized ? std::max(read(int8_t{}) / 127.0, -1.0) : read(int8_t{});
    case 5121:
      return read(uint8_t{}) / (normalized ? 255.0 : 1.0);
    case 5122:
      return normalized ? std::max(read(int16_t{}) / 32767.0, -1.0) : read(int16_t{});
    case 5123:
      return read(uint16_t{}) / (normalized ? 65535.0 : 1.0);
    case 5125:
      return read(uint32_t{});
    default:
      return read(float{});
  }
}

// `count` rows of `width` numbers out of a bufferView.
std::vector<double> Rows(const GlbParts& file, const Json& where, size_t count, size_t width,
                         int type, bool normalized) {
  const Json& view = file.root["bufferViews"].at(where["bufferView"].get<size_t>());
  const size_t start = view.value("byteOffset", size_t{0}) + where.value("byteOffset", size_t{0});
  const size_t stride = view.value("byteStride", width * ComponentSize(type));
  if (start % ComponentSize(type) != 0) throw std::runtime_error("accessor not aligned");
  std::vector<double> out;
  for (size_t row = 0; row < count; ++row) {
    for (size_t c = 0; c < width; ++c) {
      out.push_back(
          Component(file.bin, start + row * stride + c * ComponentSize(type), type, normalized));
    }
  }
  return out;
}

Matrix Multiply(const Matrix& a, const Matrix& b) {
  Matrix out = {};
  for (size_t i = 0; i < 4; ++i) {
    for (size_t j = 0; j < 4; ++j) {
      for (size_t k = 0; k < 4; ++k) out[i][j] += a[i][k] * b[k][j];
    }
  }
  return out;
}

Matrix Identity() {
  Matrix out = {};
  for (size_t i = 0; i < 4; ++i) out[i][i] = 1;
  return out;
}

Matrix FromColumnList(const std::vector<double>& columns) {
  Matrix out = {};
  for (size_t i = 0; i < 16; ++i) out[i % 4][i / 4] = columns.at(i);
  return out;
}

Matrix Local(const Json& node) {
  if (node.contains("matrix")) return FromColumnList(node["matrix"].get<std::vector<double>>());
  const auto t = node.value("translation", std::vector<double>{0, 0, 0});
  const auto q = node.value("rotation", std::vector<double>{0, 0, 0, 1});
  const auto s = node.value("scale", std::vector<double>{1, 1, 1});
  Matrix translation = Identity();
  Matrix scale = Identity();
  for (size_t i = 0; i < 3; ++i) {
    translation[i][3] = t[i];
    scale[i][i] = s[i];
  }
  // A unit quaternion as the product of its left and right multiplication matrices.
  const double x = q[0], y = q[1], z = q[2], w = q[3];
  const Matrix left = {{{w, -z, y, x}, {z, w, -x, y}, {-y, x, w, z}, {-x, -y, -z, w}}};
  const Matrix right = {{{w, -z, y, -x}, {z, w, -x, -y}, {-y, x, w, -z}, {x, y, z, w}}};
  return Multiply(translation, Multiply(Multiply(left, right), scale));
}

Matrix World(const Json& root, size_t node) {
  const Matrix local = Local(root["nodes"][node]);
  for (size_t parent = 0; parent < root["nodes"].size(); ++parent) {
    for (const Json& child : root["nodes"][parent].value("children", Json::array())) {
      if (child.get<size_t>() == node) return Multiply(World(root, parent), local);
    }
  }
  return local;
}

Point Apply(const Matrix& m, const Point& p) {
  Point out;
  for (size_t i = 0; i < 3; ++i)
    out[i] = m[i][0] * p[0] + m[i][1] * p[1] + m[i][2] * p[2] + m[i][3];
  return out;
}

Matrix SkinMatrix(const GlbParts& file, const Json& skin, const Json& attributes, size_t vertex) {
  const std::vector<double> joints = AccessorNumbers(file, attributes["JOINTS_0"].get<size_t>());
  const std::vector<double> weights = AccessorNumbers(file, attributes["WEIGHTS_0"].get<size_t>());
  const std::vector<double> binds =
      AccessorNumbers(file, skin["inverseBindMatrices"].get<size_t>());
  double total = 0;
  for (size_t k = 0; k < 4; ++k) total += weights[4 * vertex + k];
  Matrix sum = {};
  for (size_t k = 0; k < 4; ++k) {
    const auto joint = static_cast<size_t>(joints[4 * vertex + k]);
    const auto first = binds.begin() + static_cast<std::ptrdiff_t>(16 * joint);
    const Matrix m = Multiply(World(file.root, skin["joints"][joint].get<size_t>()),
                              FromColumnList(std::vector<double>(first, first + 16)));
    for (size_t i = 0; i < 4; ++i) {
      for (size_t j = 0; j < 4; ++j) sum[i][j] += weights[4 * vertex + k] / total * m[i][j];
    }
  }
  return sum;
}

}  // namespace

std::vector<double> AccessorNumbers(const GlbParts& file, size_t accessor) {
  const Json& json = file.root["accessors"].at(accessor);
  const size_t width = kWidths.at(json["type"].get<std::string>());
  const size_t count = json["count"].get<size_t>();
  const int type = json["componentType"].get<int>();
  const bool normalized = json.value("normalized", false);
  std::vector<double> out(count * width, 0.0);
  if (json.contains("bufferView")) out = Rows(file, json, count, width, type, normalized);
  if (json.contains("sparse")) {
    const Json& sparse = json["sparse"];
    const size_t n = sparse["count"].get<size_t>();
    const std::vector<double> indices =
        Rows(file, sparse["indices"], n, 1, sparse["indices"]["componentType"].get<int>(), false);
    const std::vector<double> values = Rows(file, sparse["values"], n, width, type, normalized);
    for (size_t i = 0; i < n; ++i) {
      for (size_t c = 0; c < width; ++c) {
        out.at(static_cast<size_t>(indices[i]) * width + c) = values[i * width + c];
      }
    }
  }
  return out;
}

std::vector<Point> MorphedVertices(const GlbParts& file, size_t node, size_t primitive,
                                   int target) {
  const Json& node_json = file.root["nodes"].at(node);
  const Json& mesh = file.root["meshes"].at(node_json["mesh"].get<size_t>());
  const Json& json = mesh["primitives"].at(primitive);
  const Json& attributes = json["attributes"];
  std::vector<double> positions = AccessorNumbers(file, attributes["POSITION"].get<size_t>());
  if (target >= 0) {
    const Json& morph = json["targets"].at(static_cast<size_t>(target));
    const std::vector<double> moves = AccessorNumbers(file, morph["POSITION"].get<size_t>());
    if (moves.size() != positions.size()) throw std::runtime_error("wrong target size");
    for (size_t i = 0; i < moves.size(); ++i) positions[i] += moves[i];
  }
  const bool backward = file.root.value("extensions", Json::object()).contains("VRM");
  std::vector<Point> out;
  for (size_t i = 0; i < positions.size() / 3; ++i) {
    const Matrix matrix =
        node_json.contains("skin")
            ? SkinMatrix(file, file.root["skins"][node_json["skin"].get<size_t>()], attributes, i)
            : World(file.root, node);
    Point p = Apply(matrix, {positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]});
    if (backward) p = {-p[0], p[1], -p[2]};
    out.push_back({p[0], -p[2], p[1]});
  }
  return out;
}

}  // namespace blendwire::avatar::testing

// SPDX-License-Identifier: Apache-2.0

#include "contact/testing/faces.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numbers>
#include <set>

namespace blendwire::contact::testing {
namespace {

constexpr int kBeyond = 6;  // columns on each side of the corners

Point Cross(const Point& a, const Point& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

Point Rotate(const Point& p, Point axis, double degrees) {
  const double length = std::hypot(axis[0], axis[1], axis[2]);
  for (double& a : axis) a /= length;
  const double angle = degrees * std::numbers::pi / 180.0;
  const Point cross = Cross(axis, p);
  const double dot = axis[0] * p[0] + axis[1] * p[1] + axis[2] * p[2];
  Point turned{};
  for (size_t i = 0; i < 3; ++i) {
    turned[i] = p[i] * std::cos(angle) + cross[i] * std::sin(angle) +
                axis[i] * dot * (1.0 - std::cos(angle));
  }
  return turned;
}

// Which margin a rim is.
Margin MarginOf(int part, Role role) {
  if (part == kLips) return role == Role::kUpper ? kUpperLip : kLowerLip;
  return role == Role::kUpper ? kUpperLid : kLowerLid;
}

uint32_t Add(Face& face, const Point& p, const Vertex& what) {
  for (const double value : p) face.vertices.push_back(static_cast<float>(value));
  for (int m = 0; m < kMargins; ++m) face.margins.push_back(0.0f);
  face.what.push_back(what);
  return static_cast<uint32_t>(face.size() - 1);
}

void AddTriangle(Face& face, uint32_t a, uint32_t b, uint32_t c) {
  face.triangles.insert(face.triangles.end(), {a, b, c});
}

// A column's place across the cut: -1 and 1 at the corners.
double AcrossOf(const Cut& cut, int column) { return 2.0 * (column - kBeyond) / cut.columns - 1.0; }

double OpenAt(double across) { return std::max(1.0 - across * across, 0.0); }

Point SkinPoint(const Cut& cut, int column, int row, bool upper) {
  const double across = AcrossOf(cut, column);
  const double x = across * cut.half_width;
  const double rim = OpenAt(across) * (upper ? cut.up : -cut.down);
  const double far = (upper ? 1.0 : -1.0) * cut.skin;
  const double share = static_cast<double>(row) / cut.rows;
  const double z = rim + share * (far + (upper ? cut.up : -cut.down) - rim);
  return {cut.centre[0] + x, cut.centre[1] + cut.bend * x * x, cut.centre[2] + z};
}

void AddCut(Face& face, Part part) {
  const Cut& cut = face.cuts[part];
  const int columns = cut.columns + 1 + 2 * kBeyond;
  const int height = cut.rows + 1;
  std::vector<uint32_t> lids[2];
  for (const bool upper : {true, false}) {
    std::vector<uint32_t>& lid = lids[upper ? 0 : 1];
    for (int column = 0; column < columns; ++column) {
      for (int row = 0; row < height; ++row) {
        // At the corners and beyond them both lids share the row of the rim.
        const bool shared = !upper && row == 0 && std::abs(AcrossOf(cut, column)) >= 1.0 - 1e-9;
        const Vertex what{upper ? Role::kUpper : Role::kLower, part, column - kBeyond, row};
        lid.push_back(shared ? lids[0][static_cast<size_t>(column * height)]
                             : Add(face, SkinPoint(cut, column, row, upper), what));
      }
    }
    for (int column = 0; column + 1 < columns; ++column) {
      for (int row = 0; row + 1 < height; ++row) {
        const auto at = [&](int c, int r) {
          return lid[static_cast<size_t>((column + c) * height + row + r)];
        };
        const uint32_t quad[] = {at(0, 0), at(1, 0), at(1, 1), at(0, 1)};
        if (upper) {
          AddTriangle(face, quad[0], quad[1], quad[2]);
          AddTriangle(face, quad[0], quad[2], quad[3]);
        } else {
          AddTriangle(face, quad[0], quad[2], quad[1]);
          AddTriangle(face, quad[0], quad[3], quad[2]);
        }
      }
    }
  }
}

bool OnRim(const Face& face, const Vertex& what) {
  return (what.role == Role::kUpper || what.role == Role::kLower) && what.row == 0 &&
         what.column >= 0 && what.column <= face.cuts[static_cast<size_t>(what.part)].columns;
}

double Opening(const Face& face, const Vertex& what) {
  const Cut& cut = face.cuts[static_cast<size_t>(what.part)];
  return OpenAt(AcrossOf(cut, what.column + kBeyond)) * (cut.up + cut.down);
}

}  // namespace

Point Face::at(size_t vertex) const {
  return {double{vertices[3 * vertex]}, double{vertices[3 * vertex + 1]},
          double{vertices[3 * vertex + 2]}};
}

uint32_t Face::Find(Part part, Role role, int column, int row) const {
  const bool corner = row == 0 && (column == 0 || column == cuts[part].columns);
  for (uint32_t i = 0; i < size(); ++i) {
    const Vertex& v = what[i];
    const bool same_role = v.role == role || (corner && v.role == Role::kUpper);
    if (v.part == part && same_role && v.column == column && v.row == row) return i;
  }
  std::abort();
}

Face MakeFace() {
  std::array<Cut, kParts> cuts;
  cuts[kLeftLid].centre = {0.032, 0.0, 0.0};
  cuts[kRightLid].centre = {-0.032, 0.0, 0.0};
  cuts[kLips] = {
      .centre = {0.0, -0.004, -0.06}, .half_width = 0.025, .up = 0.0, .down = 0.0, .bend = 6.0};
  return MakeFace(cuts);
}

Face MakeFace(const std::array<Cut, kParts>& cuts) {
  Face face;
  face.cuts = cuts;
  for (const Part part : {kLeftLid, kRightLid, kLips}) AddCut(face, part);
  BlurMargins(face, 0.0015);
  return face;
}

void BlurMargins(Face& face, double width) {
  std::fill(face.margins.begin(), face.margins.end(), 0.0f);
  for (size_t rim = 0; rim < face.size(); ++rim) {
    if (!OnRim(face, face.what[rim])) continue;
    const Point there = face.at(rim);
    const auto margin = static_cast<size_t>(MarginOf(face.what[rim].part, face.what[rim].role));
    for (size_t i = 0; i < face.size(); ++i) {
      // A blur does not reach the other lid.
      if (face.what[i].role != face.what[rim].role || face.what[i].part != face.what[rim].part)
        continue;
      const Point here = face.at(i);
      const double d = std::hypot(here[0] - there[0], here[1] - there[1], here[2] - there[2]);
      float& value = face.margins[kMargins * i + margin];
      value = std::max(value, static_cast<float>(std::exp(-(d / width) * (d / width))));
    }
  }
}

uint32_t AddLash(Face& face, Part part, bool upper, int column, double length) {
  const Point root = face.at(face.Find(part, upper ? Role::kUpper : Role::kLower, column, 0));
  const Vertex what{Role::kLash, part, column, upper ? 0 : 1};
  const double tip = upper ? 0.3 * length : -0.3 * length;
  const uint32_t first = Add(face, {root[0] - 3e-4, root[1] - 1e-4, root[2]}, what);
  Add(face, {root[0] + 3e-4, root[1] - 1e-4, root[2]}, what);
  Add(face, {root[0] + 2e-4, root[1] - length, root[2] + tip}, what);
  Add(face, {root[0] - 2e-4, root[1] - length, root[2] + tip}, what);
  AddTriangle(face, first, first + 1, first + 2);
  AddTriangle(face, first, first + 2, first + 3);
  return first;
}

void AddEyeball(Face& face, Part part, double bulge) {
  const Cut& cut = face.cuts[part];
  constexpr int kSteps = 16;
  const auto first = static_cast<uint32_t>(face.size());
  for (int i = 0; i <= kSteps; ++i) {
    for (int j = 0; j <= kSteps; ++j) {
      const double a = 2.0 * i / kSteps - 1.0;
      const double b = 2.0 * j / kSteps - 1.0;
      const double x = 1.2 * a * cut.half_width;
      const double z = 0.5 * (cut.up - cut.down) + 0.8 * b * (cut.up + cut.down);
      const double out = bulge - 0.02 * a * a - 4.0 * bulge * b * b * 0.64;
      Add(face, {cut.centre[0] + x, cut.centre[1] + cut.bend * x * x - out, cut.centre[2] + z},
          {Role::kEyeball, part, i, j});
    }
  }
  constexpr uint32_t kStride = kSteps + 1;
  for (uint32_t i = 0; i < kSteps; ++i) {
    for (uint32_t j = 0; j < kSteps; ++j) {
      const uint32_t corner = first + i * kStride + j;
      AddTriangle(face, corner, corner + kStride, corner + kStride + 1);
      AddTriangle(face, corner, corner + kStride + 1, corner + 1);
    }
  }
}

uint32_t AddPatch(Face& face, const Point& centre, double size) {
  const double half = 0.5 * size;
  const Vertex what{};
  const uint32_t first = Add(face, {centre[0] - half, centre[1], centre[2] - half}, what);
  Add(face, {centre[0] + half, centre[1], centre[2] - half}, what);
  Add(face, {centre[0] + half, centre[1], centre[2] + half}, what);
  Add(face, {centre[0] - half, centre[1], centre[2] + half}, what);
  AddTriangle(face, first, first + 1, first + 2);
  AddTriangle(face, first, first + 2, first + 3);
  return first;
}

Face Moved(Face face, const Point& axis, double degrees, double scale, const Point& shift) {
  for (size_t i = 0; i < face.size(); ++i) {
    const Point p = Rotate(face.at(i), axis, degrees);
    for (size_t k = 0; k < 3; ++k) {
      face.vertices[3 * i + k] = static_cast<float>(scale * p[k] + shift[k]);
    }
  }
  return face;
}

std::vector<float> Turned(const std::vector<float>& offsets, const Point& axis, double degrees,
                          double scale) {
  std::vector<float> turned(offsets.size());
  for (size_t i = 0; i < offsets.size(); i += 3) {
    const Point p =
        Rotate({double{offsets[i]}, double{offsets[i + 1]}, double{offsets[i + 2]}}, axis, degrees);
    for (size_t k = 0; k < 3; ++k) turned[i + k] = static_cast<float>(scale * p[k]);
  }
  return turned;
}

std::vector<float> BlinkField(const Face& face, double upper, double lower) {
  std::vector<float> field(face.vertices.size(), 0.0f);
  for (size_t i = 0; i < face.size(); ++i) {
    const Vertex& what = face.what[i];
    if (what.part == kLips || what.part == kParts) continue;
    const double rows = face.cuts[static_cast<size_t>(what.part)].rows;
    const double share = 1.0 - what.row / rows;
    double move = 0.0;
    if (what.role == Role::kUpper) move = -upper * share * Opening(face, what);
    if (what.role == Role::kLower) move = lower * share * Opening(face, what);
    field[3 * i + 2] = static_cast<float>(move);
  }
  return field;
}

std::vector<float> LipField(const Face& face, double apart) {
  std::vector<float> field(face.vertices.size(), 0.0f);
  for (size_t i = 0; i < face.size(); ++i) {
    const Vertex& what = face.what[i];
    if (what.part != kLips) continue;
    const Cut& cut = face.cuts[kLips];
    const double share = (1.0 - static_cast<double>(what.row) / cut.rows) *
                         OpenAt(AcrossOf(cut, what.column + kBeyond));
    const double sign = what.role == Role::kUpper ? 0.5 : -0.5;
    field[3 * i + 2] = static_cast<float>(sign * apart * share);
  }
  return field;
}

Neighbourhood::Neighbourhood(const Face& face) : node_of_(face.size()) {
  uint32_t nodes = 0;
  std::vector<size_t> first;
  for (size_t i = 0; i < face.size(); ++i) {
    uint32_t found = nodes;
    for (uint32_t node = 0; node < nodes && found == nodes; ++node) {
      const Vertex& a = face.what[i];
      const Vertex& b = face.what[first[node]];
      if (a.role == b.role && a.part == b.part && face.at(i) == face.at(first[node])) found = node;
    }
    if (found == nodes) {
      first.push_back(i);
      ++nodes;
    }
    node_of_[i] = found;
  }
  std::vector<std::set<uint32_t>> sets(nodes);
  for (size_t t = 0; t < face.triangles.size(); t += 3) {
    for (size_t a = 0; a < 3; ++a) {
      const uint32_t from = node_of_[face.triangles[t + a]];
      const uint32_t to = node_of_[face.triangles[t + (a + 1) % 3]];
      if (from == to) continue;
      sets[from].insert(to);
      sets[to].insert(from);
    }
  }
  for (const std::set<uint32_t>& set : sets) neighbours_.emplace_back(set.begin(), set.end());
  of_ = {&neighbours_};
}

Surface Neighbourhood::surface(const Face& face) const {
  return {face.vertices, node_of_, neighbours_.size(), of_, face.triangles};
}

ContactMap MapOf(const Face& face) {
  const Neighbourhood neighbourhood(face);
  return ContactMap::Build(neighbourhood.surface(face), face.margins);
}

double GapAt(const Face& face, Part part, int column, const std::vector<float>& offsets) {
  const size_t upper = face.Find(part, Role::kUpper, column, 0);
  const size_t lower = face.Find(part, Role::kLower, column, 0);
  return (face.at(upper)[2] + double{offsets[3 * upper + 2]}) -
         (face.at(lower)[2] + double{offsets[3 * lower + 2]});
}

size_t Folds(const Face& face, const std::vector<float>& offsets) {
  size_t folds = 0;
  for (size_t t = 0; t < face.triangles.size(); t += 3) {
    Point normals[2];
    for (const bool moved : {false, true}) {
      Point corners[3];
      for (size_t i = 0; i < 3; ++i) {
        const size_t vertex = face.triangles[t + i];
        corners[i] = face.at(vertex);
        for (size_t k = 0; k < 3 && moved; ++k) corners[i][k] += double{offsets[3 * vertex + k]};
      }
      Point a{};
      Point b{};
      for (size_t k = 0; k < 3; ++k) {
        a[k] = corners[1][k] - corners[0][k];
        b[k] = corners[2][k] - corners[0][k];
      }
      normals[moved ? 1 : 0] = Cross(a, b);
    }
    const double dot = normals[0][0] * normals[1][0] + normals[0][1] * normals[1][1] +
                       normals[0][2] * normals[1][2];
    if (dot < 0.0) ++folds;
  }
  return folds;
}

}  // namespace blendwire::contact::testing

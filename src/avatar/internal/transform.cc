// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/transform.h"

#include <algorithm>
#include <cmath>

namespace blendwire::avatar {

Vec3 Cross(const Vec3& a, const Vec3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

double Length(const Vec3& a) { return std::sqrt(Dot(a, a)); }

Vec3 operator*(const Mat3& a, const Vec3& v) {
  return {a.m[0] * v[0] + a.m[1] * v[1] + a.m[2] * v[2],
          a.m[3] * v[0] + a.m[4] * v[1] + a.m[5] * v[2],
          a.m[6] * v[0] + a.m[7] * v[1] + a.m[8] * v[2]};
}

Mat3 operator*(const Mat3& a, const Mat3& b) {
  Mat3 out;
  for (size_t row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      out.m[3 * row + column] = a.m[3 * row] * b.m[column] + a.m[3 * row + 1] * b.m[3 + column] +
                                a.m[3 * row + 2] * b.m[6 + column];
    }
  }
  return out;
}

double Determinant(const Mat3& a) {
  const auto& m = a.m;
  return m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
         m[2] * (m[3] * m[7] - m[4] * m[6]);
}

Mat3 InverseOrZero(const Mat3& a) {
  const auto& m = a.m;
  const double determinant = Determinant(a);
  double scale = 0;
  for (const double value : m) scale = std::max(scale, std::abs(value));
  Mat3 out;
  // Written so that NaN and infinity give zero, too.
  if (!(std::abs(determinant) > 1e-12 * scale * scale * scale && std::isfinite(determinant))) {
    out.m.fill(0);
    return out;
  }
  const double f = 1.0 / determinant;
  out.m = {f * (m[4] * m[8] - m[5] * m[7]), f * (m[2] * m[7] - m[1] * m[8]),
           f * (m[1] * m[5] - m[2] * m[4]), f * (m[5] * m[6] - m[3] * m[8]),
           f * (m[0] * m[8] - m[2] * m[6]), f * (m[2] * m[3] - m[0] * m[5]),
           f * (m[3] * m[7] - m[4] * m[6]), f * (m[1] * m[6] - m[0] * m[7]),
           f * (m[0] * m[4] - m[1] * m[3])};
  for (const double value : out.m) {
    if (!std::isfinite(value)) {
      out.m.fill(0);
      break;
    }
  }
  return out;
}

Vec3 operator*(const Affine& a, const Vec3& point) { return a.linear * point + a.translation; }

Affine operator*(const Affine& a, const Affine& b) {
  return {a.linear * b.linear, a * b.translation};
}

Affine FromColumns(absl::Span<const double> columns) {
  Affine out;
  for (size_t row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      out.linear.m[3 * row + column] = columns[4 * column + row];
    }
    out.translation[row] = columns[12 + row];
  }
  return out;
}

Affine FromTrs(const Vec3& translation, const std::array<double, 4>& rotation, const Vec3& scale) {
  const auto [qx, qy, qz, qw] = rotation;
  const double norm = qx * qx + qy * qy + qz * qz + qw * qw;
  const double s = norm > 0 ? 2.0 / norm : 0.0;
  Affine out;
  out.linear.m = {
      1 - s * (qy * qy + qz * qz), s * (qx * qy - qz * qw),     s * (qx * qz + qy * qw),
      s * (qx * qy + qz * qw),     1 - s * (qx * qx + qz * qz), s * (qy * qz - qx * qw),
      s * (qx * qz - qy * qw),     s * (qy * qz + qx * qw),     1 - s * (qx * qx + qy * qy)};
  for (size_t i = 0; i < 9; ++i) out.linear.m[i] *= scale[i % 3];
  out.translation = translation;
  return out;
}

Mat3 ToContractAxes(bool faces_backward) {
  Mat3 out;
  if (faces_backward) {
    out.m = {-1, 0, 0, 0, 0, 1, 0, 1, 0};
  } else {
    out.m = {1, 0, 0, 0, 0, -1, 0, 1, 0};
  }
  return out;
}

}  // namespace blendwire::avatar

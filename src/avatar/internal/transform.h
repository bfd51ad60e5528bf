// SPDX-License-Identifier: Apache-2.0
//
// The little linear algebra that scenes and skins need, in double precision.

#ifndef BLENDWIRE_AVATAR_INTERNAL_TRANSFORM_H_
#define BLENDWIRE_AVATAR_INTERNAL_TRANSFORM_H_

#include <array>

#include "absl/types/span.h"

namespace blendwire::avatar {

using Vec3 = std::array<double, 3>;

inline Vec3 operator+(const Vec3& a, const Vec3& b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}
inline Vec3 operator-(const Vec3& a, const Vec3& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
inline Vec3 operator*(double s, const Vec3& a) { return {s * a[0], s * a[1], s * a[2]}; }
inline double Dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
Vec3 Cross(const Vec3& a, const Vec3& b);
double Length(const Vec3& a);

// Row by row.
struct Mat3 {
  std::array<double, 9> m = {1, 0, 0, 0, 1, 0, 0, 0, 1};
};

Vec3 operator*(const Mat3& a, const Vec3& v);
Mat3 operator*(const Mat3& a, const Mat3& b);
double Determinant(const Mat3& a);
// The inverse; all zero if the matrix flattens space (or nearly: its determinant is below 1e-12 of
// what its size suggests), so that nothing can be moved there.
Mat3 InverseOrZero(const Mat3& a);

// x -> linear x + translation.
struct Affine {
  Mat3 linear;
  Vec3 translation = {0, 0, 0};
};

Vec3 operator*(const Affine& a, const Vec3& point);
Affine operator*(const Affine& a, const Affine& b);

// From 16 numbers column by column, as glTF has them; the last row is taken as 0 0 0 1.
Affine FromColumns(absl::Span<const double> columns);
// Translation, rotation (quaternion x y z w, of any length but 0) and scale.
Affine FromTrs(const Vec3& translation, const std::array<double, 4>& rotation, const Vec3& scale);

// From glTF's axes to the contract's: (x, y, z) -> (x, -z, y), for avatars that face +Z; for those
// that face -Z after half a turn about Y: (x, y, z) -> (-x, z, y).
Mat3 ToContractAxes(bool faces_backward);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_TRANSFORM_H_

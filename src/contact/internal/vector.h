// SPDX-License-Identifier: Apache-2.0
//
// Three doubles: of the mesh, or of a frame (frame.h), where x is the face's left, y up, z out of
// it.

#ifndef BLENDWIRE_CONTACT_INTERNAL_VECTOR_H_
#define BLENDWIRE_CONTACT_INTERNAL_VECTOR_H_

#include <algorithm>
#include <cmath>

namespace blendwire::contact::internal {

struct Vector {
  double x = 0.0;
  double y = 0.0;
  double z = 0.0;

  bool operator==(const Vector&) const = default;
  Vector& operator+=(const Vector& other) {
    x += other.x;
    y += other.y;
    z += other.z;
    return *this;
  }
};

inline Vector operator+(Vector a, const Vector& b) { return a += b; }
inline Vector operator-(const Vector& a, const Vector& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Vector operator*(double factor, const Vector& a) {
  return {factor * a.x, factor * a.y, factor * a.z};
}

inline double Dot(const Vector& a, const Vector& b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vector Cross(const Vector& a, const Vector& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
inline double Length(const Vector& a) { return std::sqrt(Dot(a, a)); }
inline Vector Unit(const Vector& a) {
  const double length = Length(a);
  return length > 0.0 ? (1.0 / length) * a : Vector{};
}

// 0 up to `from`, 1 from `to` on, without a kink between.
inline double SmoothStep(double from, double to, double value) {
  const double t = std::clamp((value - from) / (to - from), 0.0, 1.0);
  return t * t * (3.0 - 2.0 * t);
}

// 1 at 0, falling to 0.37 at `width`.
inline double Bell(double value, double width) {
  const double t = value / width;
  return std::exp(-t * t);
}

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_VECTOR_H_

// SPDX-License-Identifier: Apache-2.0
//
// Where the eyes are and how the face is turned, from the rims alone: a head may be tilted, off
// centre, or part of a body.

#ifndef BLENDWIRE_CONTACT_INTERNAL_FRAME_H_
#define BLENDWIRE_CONTACT_INTERNAL_FRAME_H_

#include <array>
#include <string>

#include "contact/internal/nodes.h"
#include "contact/internal/vector.h"

namespace blendwire::contact::internal {

// Right-handed: x to the face's left, y up, z out of the face.
struct Frame {
  Vector origin;
  Vector x{1.0, 0.0, 0.0};
  Vector y{0.0, 0.0, 1.0};
  Vector z{0.0, -1.0, 0.0};

  Vector DirectionIn(const Vector& v) const { return {Dot(v, x), Dot(v, y), Dot(v, z)}; }
  Vector DirectionOut(const Vector& v) const { return v.x * x + v.y * y + v.z * z; }
  Vector PointIn(const Vector& p) const { return DirectionIn(p - origin); }
};

struct EyePlaces {
  std::string why_not;  // empty: found
  Frame face;           // its origin between the eyes
  struct Eye {
    Vector centre;        // of the mesh
    double radius = 0.0;  // within which its rims lie
  };
  std::array<Eye, 2> eyes;  // left, right
};

EyePlaces FindEyes(const Nodes& nodes);

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_FRAME_H_

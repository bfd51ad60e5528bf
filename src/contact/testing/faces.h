// SPDX-License-Identifier: Apache-2.0
//
// Faces for tests: skin with two eyes and a mouth cut into it, whose rims are known exactly.

#ifndef BLENDWIRE_CONTACT_TESTING_FACES_H_
#define BLENDWIRE_CONTACT_TESTING_FACES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "contact/contact.h"

namespace blendwire::contact::testing {

using Point = std::array<double, 3>;  // of the mesh: x left, y back, z up

// A cut in the skin, with the skin around it. Lengths in metres.
struct Cut {
  Point centre{};
  double half_width = 0.016;
  double up = 0.010;    // how far the upper rim is above the corners in the middle
  double down = 0.006;  // and the lower one below
  double skin = 0.016;  // how far the skin reaches above and below
  double bend = 8.0;    // how much the skin recedes to the sides, per metre: back = bend x^2
  int columns = 20;     // between the corners; a few more lie beyond
  int rows = 10;        // of each lid
};

// What a vertex is for.
enum class Role { kOther, kUpper, kLower, kLash, kEyeball };

struct Vertex {
  Role role = Role::kOther;
  int part = kParts;  // kLeftLid, kRightLid or kLips
  int column = 0;     // of its cut
  int row = 0;        // 0 on the rim, then away from it
};

struct Face {
  std::vector<float> vertices;      // [N,3]
  std::vector<uint32_t> triangles;  // [T,3]
  std::vector<float> margins;       // [N,4]
  std::vector<Vertex> what;         // [N]
  std::array<Cut, kParts> cuts;

  size_t size() const { return what.size(); }
  Point at(size_t vertex) const;
  // The only vertex with these properties; fails the test if there is none.
  uint32_t Find(Part part, Role role, int column, int row) const;
};

// Two eyes alike at z = 0 and, 0.06 m below them, a closed mouth.
Face MakeFace();
// The same with other cuts. A cut of the mouth with up = down = 0 is closed.
Face MakeFace(const std::array<Cut, kParts>& cuts);

// Margins that fade with the distance from the rim: exp(-(d / width)^2).
void BlurMargins(Face& face, double width);

// A lash: a thin piece of 4 vertices on a lid's rim in that column, `length` long, pointing out.
// Returns its first vertex; the first two are its root.
uint32_t AddLash(Face& face, Part part, bool upper, int column, double length = 0.006);

// A ball behind the eye that fills the opening and stands out before its rims by `bulge` at most.
void AddEyeball(Face& face, Part part, double bulge);

// A separate square of skin-like mesh, such as a brow, of the given size. Returns its first vertex.
uint32_t AddPatch(Face& face, const Point& centre, double size);

// Turns by `degrees` around the axis through the origin, then scales and moves.
Face Moved(Face face, const Point& axis, double degrees, double scale, const Point& shift);
std::vector<float> Turned(const std::vector<float>& offsets, const Point& axis, double degrees,
                          double scale);

// The field of a blink: rims go `upper` and `lower` of the opening towards each other, the skin
// less the farther it is from its rim. `upper` 1 and `lower` 0 close the eye exactly.
std::vector<float> BlinkField(const Face& face, double upper, double lower = 0.0);

// Lips go apart by this much (towards each other below 0), in the middle; the skin less.
std::vector<float> LipField(const Face& face, double apart);

// A mesh's nodes and their neighbours, by comparing everything with everything: vertices at one
// position are one node if their `what` is the same.
class Neighbourhood {
 public:
  explicit Neighbourhood(const Face& face);
  Surface surface(const Face& face) const;

 private:
  std::vector<uint32_t> node_of_;
  std::vector<std::vector<uint32_t>> neighbours_;
  struct Neighbours {
    const std::vector<std::vector<uint32_t>>* all;
    absl::Span<const uint32_t> operator()(size_t node) const { return (*all)[node]; }
  };
  Neighbours of_{nullptr};
};

ContactMap MapOf(const Face& face);

// The distance between the rims in a column along z when the face wears `offsets`.
double GapAt(const Face& face, Part part, int column, const std::vector<float>& offsets);

// Triangles that face the other way when the face wears `offsets`.
size_t Folds(const Face& face, const std::vector<float>& offsets);

}  // namespace blendwire::contact::testing

#endif  // BLENDWIRE_CONTACT_TESTING_FACES_H_

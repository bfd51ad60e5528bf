// SPDX-License-Identifier: Apache-2.0
//
// What Build() finds and Close() uses. Indices called `local` count the nodes of the region, which
// is all that Close() looks at.

#ifndef BLENDWIRE_CONTACT_INTERNAL_FACE_MAP_H_
#define BLENDWIRE_CONTACT_INTERNAL_FACE_MAP_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "contact/contact.h"
#include "contact/internal/curve.h"
#include "contact/internal/frame.h"
#include "contact/internal/vector.h"

namespace blendwire::contact::internal {

// A node that shows where a rim is.
struct RimNode {
  uint32_t local = 0;
  double x = 0.0;
  double weight = 0.0;
};

// A node of the skin near two rims.
struct Member {
  uint32_t local = 0;
  Vector position;        // in the part's frame
  bool upper = false;     // moves with the upper rim
  double distance = 0.0;  // from its own rim, along the surface
  double near = 0.0;      // 1 on its own rim, falling to 0 within a fraction of the opening
  double reach = 0.0;     // how far its own rim takes it along, by distance alone: 1 at the rim
  double inside = 0.0;    // 1 where the solution holds, 0 where the plain field does
};

// A node of the skin and how much its motion counts.
struct Share {
  uint32_t local = 0;
  double weight = 0.0;
};

// A small piece of mesh that stands on a rim: lashes, an eye liner.
struct Strip {
  std::vector<uint32_t> locals;
  std::vector<std::vector<Share>> stands_on;  // the skin under each
};

struct Rims {
  Frame frame;
  double from = 0.0;  // x of the corners
  double to = 0.0;
  double width = 0.0;
  double height = 0.0;   // of the opening, typical; 0 where the rims touch
  double scatter = 0.0;  // of the rims' nodes around the curves
  Curve upper;           // where the rims are, by x
  Curve lower;
  std::vector<RimNode> upper_nodes;
  std::vector<RimNode> lower_nodes;
};

struct EyeMap {
  Rims rims;
  Curve eyeball;  // by x: how far the eye stands out before the line between the rims, in z
  std::vector<Member> members;
  std::vector<Strip> strips;
};

struct MouthMap {
  Rims rims;
  std::vector<Member> members;
};

struct FaceMap {
  std::array<std::string, kParts> why_not;
  std::array<EyeMap, 2> eyes;
  MouthMap mouth;

  // The region. The vertices of local i: vertices[first_vertex[i] .. first_vertex[i + 1]).
  std::vector<uint32_t> first_vertex{0};
  std::vector<uint32_t> vertices;
  std::vector<Vector> positions;  // of the mesh
  // Of each part: all corners are its members.
  std::array<std::vector<std::array<uint32_t, 3>>, kParts> triangles;
  size_t vertex_count = 0;  // of the mesh

  size_t locals() const { return positions.size(); }
};

// Replaces each local number by what `local_of` has at its place.
void Renumber(absl::Span<const uint32_t> local_of, EyeMap& eye);
void Renumber(absl::Span<const uint32_t> local_of, MouthMap& mouth);

// Heap memory of a map, the map itself included.
size_t MemoryBytes(const FaceMap& face);

// Gives the nodes that parts need local numbers, in the order they are asked for.
class RegionBuilder {
 public:
  explicit RegionBuilder(size_t node_count) : local_of_(node_count, kNone) {}

  uint32_t LocalOf(uint32_t node);
  // [locals of `part`] what its local numbers are here.
  std::vector<uint32_t> Join(const RegionBuilder& part);
  void Finish(const Surface& surface, const std::vector<Vector>& node_positions, FaceMap& face);

 private:
  static constexpr uint32_t kNone = 0xffffffff;
  std::vector<uint32_t> local_of_;
  std::vector<uint32_t> nodes_;
};

}  // namespace blendwire::contact::internal

#endif  // BLENDWIRE_CONTACT_INTERNAL_FACE_MAP_H_

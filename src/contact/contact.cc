// SPDX-License-Identifier: Apache-2.0

#include "contact/contact.h"

#include <algorithm>
#include <utility>

#include "contact/internal/eye.h"
#include "contact/internal/face_map.h"
#include "contact/internal/folds.h"
#include "contact/internal/frame.h"
#include "contact/internal/nodes.h"

namespace blendwire::contact {
namespace {

using internal::EyePlaces;
using internal::FaceMap;
using internal::Vector;

void BuildEyes(const internal::Nodes& nodes, internal::RegionBuilder& region, FaceMap& face) {
  const EyePlaces places = internal::FindEyes(nodes);
  for (size_t side = 0; side < 2; ++side) {
    if (!places.why_not.empty()) {
      face.why_not[side] = places.why_not;
      continue;
    }
    internal::Frame frame = places.face;
    frame.origin = places.eyes[side].centre;
    face.why_not[side] =
        internal::BuildEye(nodes, frame, places.eyes[side].radius, region, face.eyes[side]);
  }
}

// A node has the mean offset of its vertices.
std::vector<Vector> ReadField(const FaceMap& face, absl::Span<const float> offsets) {
  std::vector<Vector> field(face.locals());
  for (size_t local = 0; local < face.locals(); ++local) {
    const uint32_t from = face.first_vertex[local];
    const uint32_t to = face.first_vertex[local + 1];
    Vector sum;
    for (uint32_t i = from; i < to; ++i) {
      const float* offset = &offsets[3 * size_t{face.vertices[i]}];
      sum += Vector{double{offset[0]}, double{offset[1]}, double{offset[2]}};
    }
    field[local] = (1.0 / static_cast<double>(to - from)) * sum;
  }
  return field;
}

void WriteField(const FaceMap& face, absl::Span<const Vector> field, absl::Span<float> offsets) {
  for (size_t local = 0; local < face.locals(); ++local) {
    for (uint32_t i = face.first_vertex[local]; i < face.first_vertex[local + 1]; ++i) {
      float* offset = &offsets[3 * size_t{face.vertices[i]}];
      offset[0] = static_cast<float>(field[local].x);
      offset[1] = static_cast<float>(field[local].y);
      offset[2] = static_cast<float>(field[local].z);
    }
  }
}

}  // namespace

ContactMap::ContactMap() {
  auto face = std::make_unique<FaceMap>();
  face->why_not.fill("the model does not say where the rims are");
  face_ = std::move(face);
}
ContactMap::~ContactMap() = default;
ContactMap::ContactMap(ContactMap&&) noexcept = default;
ContactMap& ContactMap::operator=(ContactMap&&) noexcept = default;

ContactMap ContactMap::Build(const Surface& surface, absl::Span<const float> margins) {
  auto face = std::make_unique<FaceMap>();
  const internal::Nodes nodes = internal::MakeNodes(surface, margins);
  internal::RegionBuilder region(nodes.count());
  BuildEyes(nodes, region, *face);
  face->why_not[kLips] = "not sealed";
  region.Finish(surface, nodes.positions, *face);
  ContactMap map;
  map.face_ = std::move(face);
  return map;
}

const std::string& ContactMap::why_not(Part part) const { return face_->why_not[part]; }

size_t ContactMap::memory_bytes() const { return 0; }

Result Close(const ContactMap& map, const Closure& closure, absl::Span<float> offsets) {
  const FaceMap& face = map.internals();
  Result result;
  if (face.locals() == 0) return result;
  const std::vector<Vector> field = ReadField(face, offsets);
  std::vector<Vector> solution = field;
  const double lids[] = {closure.left_lid, closure.right_lid};
  for (size_t side = 0; side < 2; ++side) {
    if (!face.why_not[side].empty()) continue;
    if (lids[side] > 0.0) {
      const double lid = std::min(lids[side], 1.0);
      std::vector<char> pinned(face.locals());
      internal::CloseEye(face.eyes[side], lid, field, absl::MakeSpan(solution));
      internal::PinRims(face.eyes[side], pinned);
      internal::MendFolds(face, field, 1.0 / lid, pinned, absl::MakeSpan(solution));
      result.closed[side] = true;
    } else {
      internal::CarryStrips(face.eyes[side], field, absl::MakeSpan(solution));
    }
  }
  WriteField(face, solution, offsets);
  return result;
}

}  // namespace blendwire::contact

// SPDX-License-Identifier: Apache-2.0

#include "contact/contact.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "contact/internal/eye.h"
#include "contact/internal/face_map.h"
#include "contact/internal/folds.h"
#include "contact/internal/frame.h"
#include "contact/internal/mouth.h"
#include "contact/internal/nodes.h"
#include "contact/internal/strips.h"
#include "system/parallel_for.h"

namespace blendwire::contact {
namespace {

using internal::EyePlaces;
using internal::FaceMap;
using internal::Vector;

constexpr int kRelaxRounds = 5;
// Closing may fold as many triangles more than the plain field does: rims have insides, which fold
// when a lid comes down, unseen.
constexpr size_t kSpareFolds = 4;
constexpr size_t kTrianglesPerFold = 32;
constexpr size_t kTrianglesPerTear = 100;
// How much of a correction is tried, until one neither folds nor tears the skin.
constexpr double kShares[] = {1.0, 0.75, 0.5};

// Each part by itself, with a region of its own; they are found in any order, and joined in theirs.
void BuildParts(const internal::Nodes& nodes, const EyePlaces& places,
                internal::RegionBuilder& region, FaceMap& face) {
  std::vector<internal::RegionBuilder> regions(kParts, internal::RegionBuilder(nodes.count()));
  const auto build = [&](size_t part) -> std::string {
    if (part == kLips) {
      return internal::BuildMouth(nodes, places.why_not.empty() ? places.face : internal::Frame{},
                                  regions[part], face.mouth);
    }
    if (!places.why_not.empty()) return places.why_not;
    internal::Frame frame = places.face;
    frame.origin = places.eyes[part].centre;
    return internal::BuildEye(nodes, frame, places.eyes[part].radius, regions[part],
                              face.eyes[part]);
  };
  system::ParallelFor(kParts, 1, [&](size_t part, size_t) { face.why_not[part] = build(part); });
  for (const Part lid : {kLeftLid, kRightLid}) {
    internal::Renumber(region.Join(regions[lid]), face.eyes[lid]);
  }
  internal::Renumber(region.Join(regions[kLips]), face.mouth);
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

// What closing a part adds to the field, and how much of it does no harm: 0 if even half of it
// would fold or tear the skin where the plain field does not.
struct Correction {
  std::vector<Vector> added;
  double share = 0.0;
};

double HarmlessShare(const internal::Skin& skin, absl::Span<const Vector> added) {
  const size_t folds = internal::CountFolds(skin, skin.field) + kSpareFolds +
                       skin.triangles.size() / kTrianglesPerFold;
  const size_t tears = skin.triangles.size() / kTrianglesPerTear;
  std::vector<Vector> tried(added.size());
  for (const double share : kShares) {
    for (size_t i = 0; i < tried.size(); ++i) tried[i] = skin.field[i] + share * added[i];
    if (internal::CountFolds(skin, tried) <= folds && internal::CountTears(skin, tried) <= tears) {
      return share;
    }
  }
  return 0.0;
}

Correction CorrectionOf(const FaceMap& face, Part part, double closure,
                        absl::Span<const Vector> field) {
  const internal::Skin skin{face.positions, face.triangles[part], field, 1.0 / closure};
  std::vector<Vector> closed(field.begin(), field.end());
  std::vector<char> pinned(face.locals());
  if (part == kLips) {
    internal::SealLips(face.mouth, closure, field, absl::MakeSpan(closed));
  } else {
    internal::CloseEye(face.eyes[part], closure, field, absl::MakeSpan(closed));
    internal::PinRims(face.eyes[part], pinned);
    internal::RelaxCorrection(skin, pinned, kRelaxRounds, absl::MakeSpan(closed));
    internal::SlideOverEye(face.eyes[part], closure, field, absl::MakeSpan(closed));
  }
  internal::MendFolds(skin, pinned, absl::MakeSpan(closed));
  for (size_t i = 0; i < closed.size(); ++i) closed[i] = closed[i] - field[i];
  const double share = HarmlessShare(skin, closed);
  return {std::move(closed), share};
}

// Whether the plain field closes the lids that are to be closed as far as the closure wants.
bool LidsAreAsked(const FaceMap& face, const Closure& closure, absl::Span<const Vector> field) {
  if (closure.least_own_lids <= 0.0) return true;
  const double lids[] = {closure.left_lid, closure.right_lid};
  double own = 0.0;
  double wanted = 0.0;
  for (size_t side = 0; side < 2; ++side) {
    if (lids[side] <= 0.0 || !face.why_not[side].empty()) continue;
    own += internal::OwnClosing(face.eyes[side], field);
    wanted += std::min(lids[side], 1.0);
  }
  return own >= closure.least_own_lids * wanted;
}

// Whether both eyes are to be closed and only one can be: one closed beside one that is not would
// be worse than none.
bool OneLidOnly(const FaceMap& face, const Closure& closure) {
  return closure.left_lid > 0.0 && closure.right_lid > 0.0 &&
         face.why_not[kLeftLid].empty() != face.why_not[kRightLid].empty();
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
  const EyePlaces places = internal::FindEyes(nodes);
  BuildParts(nodes, places, region, *face);
  region.Finish(surface, nodes.positions, *face);
  ContactMap map;
  map.face_ = std::move(face);
  return map;
}

const std::string& ContactMap::why_not(Part part) const { return face_->why_not[part]; }

size_t ContactMap::memory_bytes() const { return internal::MemoryBytes(*face_); }

Result Close(const ContactMap& map, const Closure& closure, absl::Span<float> offsets) {
  const FaceMap& face = map.internals();
  Result result;
  if (face.locals() == 0) return result;
  const std::vector<Vector> field = ReadField(face, offsets);
  std::array<double, kParts> closures = {closure.left_lid, closure.right_lid, closure.lips};
  if (OneLidOnly(face, closure) || !LidsAreAsked(face, closure, field)) {
    for (const Part lid : {kLeftLid, kRightLid}) {
      result.gave_up[lid] = closures[lid] > 0.0 && face.why_not[lid].empty();
      closures[lid] = 0.0;
    }
  }
  std::array<Correction, kParts> corrections;
  std::vector<Part> wanted;
  for (const Part part : {kLeftLid, kRightLid, kLips}) {
    if (closures[part] > 0.0 && face.why_not[part].empty()) wanted.push_back(part);
  }
  system::ParallelFor(wanted.size(), 1, [&](size_t i, size_t) {
    const Part part = wanted[i];
    corrections[part] = CorrectionOf(face, part, std::min(closures[part], 1.0), field);
  });
  for (const Part part : wanted) {
    (corrections[part].share > 0.0 ? result.closed : result.gave_up)[part] = true;
  }
  // Eyes close alike: one closed beside one that is not would be worse than none.
  if (result.closed[kLeftLid] && result.closed[kRightLid]) {
    double& left = corrections[kLeftLid].share;
    double& right = corrections[kRightLid].share;
    left = right = std::min(left, right);
  }
  if (result.gave_up[kLeftLid] != result.gave_up[kRightLid]) {
    for (const Part lid : {kLeftLid, kRightLid}) {
      result.gave_up[lid] = result.gave_up[lid] || result.closed[lid];
      result.closed[lid] = false;
    }
  }
  std::vector<Vector> solution = field;
  for (const Part part : {kLeftLid, kRightLid, kLips}) {
    if (!result.closed[part]) continue;
    const Correction& correction = corrections[part];
    for (size_t i = 0; i < solution.size(); ++i) {
      solution[i] += correction.share * correction.added[i];
    }
  }
  for (const internal::EyeMap& eye : face.eyes) {
    internal::MoveStrips(eye.strips, field, absl::MakeSpan(solution));
  }
  WriteField(face, solution, offsets);
  return result;
}

}  // namespace blendwire::contact

// SPDX-License-Identifier: Apache-2.0
//
// Lids that meet and lips that seal. A model predicts where each vertex goes by itself; what two
// rims of a face must do together, it only nearly does. Where it also says which vertices the rims
// are, geometry finishes the work:
//
//   const ContactMap map = ContactMap::Build(surface, margins);      // once per mesh
//   Close(map, {.left_lid = 1, .right_lid = 1}, offsets);            // once per expression
//
// Each part (left lid, right lid, lips) is corrected by itself. Where a rim is not found with
// certainty, or the correction would be worse than the plain field, that part keeps the field.

#ifndef BLENDWIRE_CONTACT_CONTACT_H_
#define BLENDWIRE_CONTACT_CONTACT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"

namespace blendwire::contact {

// A mesh and its neighbourhood. Vertices at one position are one *node*: they get one offset.
struct Surface {
  absl::Span<const float> vertices;    // [N,3] metres, Z up, the face looks along -Y
  absl::Span<const uint32_t> node_of;  // [N] below node_count
  size_t node_count = 0;
  // The nodes next to a node. Called during Build() only.
  absl::FunctionRef<absl::Span<const uint32_t>(size_t)> neighbours;
  absl::Span<const uint32_t> triangles;  // [T,3]; without any, folds are not looked for
};

// The columns of margins: how certainly a vertex is on that rim, 0 to 1.
enum Margin { kUpperLid = 0, kLowerLid = 1, kUpperLip = 2, kLowerLip = 3, kMargins = 4 };

// What can be closed. Left is the avatar's own, +X.
enum Part { kLeftLid = 0, kRightLid = 1, kLips = 2, kParts = 3 };

// How far an expression closes each part: 0 not at all, 1 until the rims meet. An expression at
// half its weight has half its closures and half its offsets, and gets half the correction.
struct Closure {
  double left_lid = 0.0;
  double right_lid = 0.0;
  double lips = 0.0;
  // Lids close only if the plain field takes away at least this share of the opening by itself, the
  // mean of both eyes: 0 for a blink, 0.5 for a smile, which closes the eyes of some faces only.
  double least_own_lids = 0.0;
};

namespace internal {
struct FaceMap;
}

// What is known of a mesh's rims. Immutable, so safe for use from several threads at once.
class ContactMap {
 public:
  // Of a mesh without rims: nothing can be closed.
  ContactMap();
  ~ContactMap();
  ContactMap(ContactMap&&) noexcept;
  ContactMap& operator=(ContactMap&&) noexcept;

  // `margins` is [N,4], the columns as in Margin. All values must be finite and the indices in
  // range. Keeps nothing of what it is given.
  static ContactMap Build(const Surface& surface, absl::Span<const float> margins);

  // Why a part cannot be closed; empty if it can.
  const std::string& why_not(Part part) const;

  // Heap memory, for whoever keeps maps for later.
  size_t memory_bytes() const;

  const internal::FaceMap& internals() const { return *face_; }

 private:
  std::unique_ptr<const internal::FaceMap> face_;
};

// What became of one expression's parts.
struct Result {
  bool closed[kParts] = {false, false, false};
  // Parts whose closure was wanted and refused: the correction would have folded the skin where the
  // plain field does not, the field does not close the lids far enough by itself, or the other eye,
  // which is to close with this one, cannot be closed.
  bool gave_up[kParts] = {false, false, false};
};

// Corrects one expression's `offsets` [N,3] in metres, in place. Only vertices near the rims
// change. Lashes follow the rim they stand on also where nothing is closed. The same input gives
// the same bits.
Result Close(const ContactMap& map, const Closure& closure, absl::Span<float> offsets);

}  // namespace blendwire::contact

#endif  // BLENDWIRE_CONTACT_CONTACT_H_

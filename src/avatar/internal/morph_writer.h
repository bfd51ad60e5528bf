// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_MORPH_WRITER_H_
#define BLENDWIRE_AVATAR_INTERNAL_MORPH_WRITER_H_

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "avatar/avatar.h"
#include "avatar/internal/document.h"
#include "avatar/internal/geometry.h"

namespace blendwire::avatar {

// Adds the targets to the meshes of `document`, from which `geometry` was read. Errors as for
// Avatar::Write; the document is then half-done and of no use.
absl::StatusOr<WriteReport> AddMorphTargets(Document& document, const Geometry& geometry,
                                            absl::Span<const MorphTarget> targets,
                                            const WriteOptions& options, const Limits& limits);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_MORPH_WRITER_H_

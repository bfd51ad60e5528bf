// SPDX-License-Identifier: Apache-2.0

#ifndef BLENDWIRE_AVATAR_INTERNAL_OBJ_IMPORT_H_
#define BLENDWIRE_AVATAR_INTERNAL_OBJ_IMPORT_H_

#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "avatar/avatar.h"
#include "avatar/internal/document.h"

namespace blendwire::avatar {

// A Wavefront .obj file as a glTF document: one mesh per object, one primitive per material,
// polygons cut into triangles. The file's axes are taken as glTF's (Y up, facing +Z), as Blender
// and most others write them. Materials bring their colour and colour texture along, from files in
// `folder`; none if that is empty.
absl::StatusOr<Document> ImportObj(absl::string_view text, const std::filesystem::path& folder,
                                   const ReadOptions& options);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_OBJ_IMPORT_H_

// SPDX-License-Identifier: Apache-2.0
//
// A glTF file in memory: its JSON, and all its buffers as one.

#ifndef BLENDWIRE_AVATAR_INTERNAL_DOCUMENT_H_
#define BLENDWIRE_AVATAR_INTERNAL_DOCUMENT_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "avatar/avatar.h"
#include "avatar/internal/json_access.h"

namespace blendwire::avatar {

struct Document {
  // With at most one buffer, whose bytes are `bin`; every bufferView refers to it.
  Json json;
  std::string bin;
  std::vector<std::pair<uint32_t, std::string>> other_chunks;  // of a GLB
  std::vector<std::string> warnings;

  bool is_vrm() const;
  // VRM 0.x, whose avatars face -Z.
  bool faces_backward() const;
};

// `folder` is where relative URIs lead; empty: there can be none. Buffers in files of their own are
// read and, like images in files of their own, become part of the document, so that it can be
// written anywhere. INVALID_ARGUMENT for anything broken, and for the compressions that cannot be
// edited.
absl::StatusOr<Document> LoadDocument(std::string bytes, const std::filesystem::path& folder,
                                      const Limits& limits);

// Takes images that are files of `folder` into the document. One that is not there, is no image, or
// lies elsewhere stays what it is, with a warning.
void EmbedImages(Document& document, const std::filesystem::path& folder, const Limits& limits);

// The document as a .glb file, or as a .gltf file with its buffer as a data-URI.
absl::StatusOr<std::string> ToGlb(const Document& document);
absl::StatusOr<std::string> ToGltf(const Document& document);

// What a bufferView is for; kNone for sparse accessors and images.
enum class ViewTarget { kNone = 0, kVertices = 34962, kIndices = 34963 };

// Appends the bytes, aligned to four, as a new bufferView; returns its index.
size_t AppendView(Document& document, absl::string_view bytes, ViewTarget target);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_DOCUMENT_H_

// SPDX-License-Identifier: Apache-2.0
//
// The GLB container (glTF 2.0 specification, chapter 4): a 12-byte header, a chunk with the JSON, a
// chunk with buffer 0, and chunks of kinds that nobody has defined yet.

#ifndef BLENDWIRE_AVATAR_INTERNAL_GLB_H_
#define BLENDWIRE_AVATAR_INTERNAL_GLB_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace blendwire::avatar {

struct Glb {
  std::string json;
  std::string bin;  // with up to three bytes of padding at the end
  bool has_bin = false;
  std::vector<std::pair<uint32_t, std::string>> other_chunks;  // type, bytes
};

// True if the bytes start as a GLB does.
bool IsGlb(absl::string_view bytes);

// INVALID_ARGUMENT for another version than 2, and for lengths that do not fit the bytes. What
// stands behind the length in the header is ignored.
absl::StatusOr<Glb> ParseGlb(absl::string_view bytes);

// INVALID_ARGUMENT if it would take more than the format's 4 GiB.
absl::StatusOr<std::string> SerializeGlb(const Glb& glb);

}  // namespace blendwire::avatar

#endif  // BLENDWIRE_AVATAR_INTERNAL_GLB_H_

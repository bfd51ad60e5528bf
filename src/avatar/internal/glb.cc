// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/glb.h"

#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/little_endian.h"

namespace blendwire::avatar {
namespace {

constexpr uint32_t kMagic = 0x46546C67;  // "glTF"
constexpr uint32_t kJsonChunk = 0x4E4F534A;
constexpr uint32_t kBinChunk = 0x004E4942;
constexpr size_t kHeaderBytes = 12;
constexpr size_t kChunkHeaderBytes = 8;

void AppendChunk(std::string& out, uint32_t type, absl::string_view bytes, char padding) {
  const size_t padded = (bytes.size() + 3) / 4 * 4;
  AppendLittle(out, static_cast<uint32_t>(padded));
  AppendLittle(out, type);
  out.append(bytes.data(), bytes.size());
  out.append(padded - bytes.size(), padding);
}

}  // namespace

bool IsGlb(absl::string_view bytes) {
  return bytes.size() >= 4 && LoadLittle<uint32_t>(bytes.data()) == kMagic;
}

absl::StatusOr<Glb> ParseGlb(absl::string_view bytes) {
  if (bytes.size() < kHeaderBytes || !IsGlb(bytes)) {
    return absl::InvalidArgumentError("not a GLB file: the 12-byte header is missing");
  }
  const uint32_t version = LoadLittle<uint32_t>(bytes.data() + 4);
  if (version != 2) {
    return absl::InvalidArgumentError(absl::StrCat("the GLB's version is ", version,
                                                   ", but only glTF 2.0 (version 2) is supported"));
  }
  const size_t length = LoadLittle<uint32_t>(bytes.data() + 8);
  if (length < kHeaderBytes || length > bytes.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the GLB's length is ", length, " in its header, but the file has ",
                     bytes.size(), " bytes: it is cut off or broken"));
  }
  bytes = bytes.substr(0, length);
  Glb glb;
  size_t position = kHeaderBytes;
  for (int chunk = 0; length - position >= kChunkHeaderBytes; ++chunk) {
    const size_t size = LoadLittle<uint32_t>(bytes.data() + position);
    const uint32_t type = LoadLittle<uint32_t>(bytes.data() + position + 4);
    position += kChunkHeaderBytes;
    if (size > length - position) {
      return absl::InvalidArgumentError(absl::StrCat("the GLB's chunk ", chunk, " has a length of ",
                                                     size, ", but only ", length - position,
                                                     " bytes are left"));
    }
    const absl::string_view content = bytes.substr(position, size);
    if ((chunk == 0) != (type == kJsonChunk)) {
      return absl::InvalidArgumentError("the GLB's first chunk, and only that, must be its JSON");
    }
    if (chunk == 0) {
      glb.json = std::string(content);
    } else if (type == kBinChunk && !glb.has_bin) {
      glb.bin = std::string(content);
      glb.has_bin = true;
    } else {
      glb.other_chunks.emplace_back(type, std::string(content));
    }
    position += size;
    // The specification wants sizes that are multiples of four; some files have others, unpadded.
  }
  if (glb.json.empty()) return absl::InvalidArgumentError("the GLB has no JSON chunk");
  return glb;
}

absl::StatusOr<std::string> SerializeGlb(const Glb& glb) {
  size_t total = kHeaderBytes + kChunkHeaderBytes + (glb.json.size() + 3) / 4 * 4;
  if (glb.has_bin) total += kChunkHeaderBytes + (glb.bin.size() + 3) / 4 * 4;
  for (const auto& [type, bytes] : glb.other_chunks) {
    total += kChunkHeaderBytes + (bytes.size() + 3) / 4 * 4;
  }
  if (total > std::numeric_limits<uint32_t>::max()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the file would have ", total, " bytes, but a GLB can have 4,294,967,295 at most"));
  }
  std::string out;
  out.reserve(total);
  AppendLittle(out, kMagic);
  AppendLittle(out, uint32_t{2});
  AppendLittle(out, static_cast<uint32_t>(total));
  AppendChunk(out, kJsonChunk, glb.json, ' ');
  if (glb.has_bin) AppendChunk(out, kBinChunk, glb.bin, '\0');
  for (const auto& [type, bytes] : glb.other_chunks) AppendChunk(out, type, bytes, '\0');
  return out;
}

}  // namespace blendwire::avatar

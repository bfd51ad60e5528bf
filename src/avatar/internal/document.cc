// SPDX-License-Identifier: Apache-2.0

#include "avatar/internal/document.h"

#include <optional>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "avatar/internal/glb.h"
#include "avatar/internal/status_macros.h"
#include "avatar/internal/uris.h"
#include "system/files.h"

namespace blendwire::avatar {
namespace {

// Enough for every kind of data that a buffer can hold.
constexpr size_t kBufferAlignment = 16;

void Align(std::string& bytes, size_t alignment) {
  bytes.resize((bytes.size() + alignment - 1) / alignment * alignment, '\0');
}

absl::Status CheckVersion(const Json& root) {
  const Json* asset = Find(root, "asset");
  const std::string version = asset == nullptr ? "" : GetText(*asset, "version");
  if (absl::StartsWith(version, "2.")) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("asset.version is \"",
                                                 absl::CHexEscape(version.substr(0, 20)),
                                                 "\", but only glTF 2.0 is supported"));
}

// Compressed geometry has its data in an extension that is not to be touched half-way.
absl::Status CheckCompression(const Json& root) {
  const Json& views = List(root, "bufferViews");
  for (size_t i = 0; i < views.size(); ++i) {
    for (const char* name : {"EXT_meshopt_compression", "KHR_meshopt_compression"}) {
      const Json* extensions = Find(views[i], "extensions");
      if (extensions == nullptr || Find(*extensions, name) == nullptr) continue;
      return absl::InvalidArgumentError(absl::StrCat(Where("bufferViews", i), " is compressed (",
                                                     name, "): export without compression"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BufferBytes(const Json& buffer, absl::string_view where, Glb& glb,
                                        const std::filesystem::path& folder, const Limits& limits) {
  const Json* uri = Find(buffer, "uri");
  if (uri == nullptr) {
    if (!glb.has_bin) {
      return absl::InvalidArgumentError(
          absl::StrCat(where, " has no uri, and the file has no binary chunk"));
    }
    glb.has_bin = false;  // Only one buffer can be the chunk.
    return std::move(glb.bin);
  }
  if (!uri->is_string()) {
    return absl::InvalidArgumentError(absl::StrCat(where, ".uri must be a text"));
  }
  const std::string& text = uri->get_ref<const std::string&>();
  if (IsDataUri(text)) return DecodeDataUri(text);
  if (folder.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(where, ".uri names another file, but there is no folder to find it in"));
  }
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const std::filesystem::path file, ResolveUri(folder, text));
  return system::ReadFile(file, limits.max_file_bytes);
}

absl::Status MergeBuffers(Document& document, Glb& glb, const std::filesystem::path& folder,
                          const Limits& limits) {
  const Json& buffers = List(document.json, "buffers");
  std::vector<size_t> starts;
  std::vector<size_t> sizes;
  for (size_t i = 0; i < buffers.size(); ++i) {
    const std::string where = Where("buffers", i);
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t size,
                                      GetUint(buffers[i], "byteLength", where));
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(std::string bytes,
                                      BufferBytes(buffers[i], where, glb, folder, limits));
    if (size > bytes.size()) {
      return absl::InvalidArgumentError(absl::StrCat(
          where, ".byteLength is ", size, ", but its data has ", bytes.size(), " bytes"));
    }
    bytes.resize(static_cast<size_t>(size));
    if (document.bin.empty()) {
      starts.push_back(0);
      document.bin = std::move(bytes);
    } else {
      Align(document.bin, kBufferAlignment);
      starts.push_back(document.bin.size());
      document.bin += bytes;
    }
    sizes.push_back(static_cast<size_t>(size));
    if (document.bin.size() > limits.max_file_bytes) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the buffers have more than ", limits.max_file_bytes, " bytes, which is the limit"));
    }
  }
  Json& views = MutableList(document.json, "bufferViews");
  for (size_t i = 0; i < views.size(); ++i) {
    const std::string where = Where("bufferViews", i);
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(
        const std::optional<size_t> buffer,
        GetIndex(document.json, views[i], "buffer", "buffers", where));
    if (!buffer.has_value()) {
      return absl::InvalidArgumentError(absl::StrCat(where, ".buffer is missing"));
    }
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t offset,
                                      GetUint(views[i], "byteOffset", where, 0));
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(const uint64_t length,
                                      GetUint(views[i], "byteLength", where));
    const size_t size = sizes[*buffer];
    if (offset > size || length > size - offset) {
      return absl::InvalidArgumentError(absl::StrCat(where, " wants ", length, " bytes from ",
                                                     offset, " on, but ", Where("buffers", *buffer),
                                                     " has ", size, " bytes"));
    }
    if (*buffer == 0) continue;
    views[i]["buffer"] = 0;
    views[i]["byteOffset"] = starts[*buffer] + offset;
  }
  if (views.empty()) document.json.erase("bufferViews");
  return absl::OkStatus();
}

// The media type of what the bytes are; empty if they are no image, which is then not taken in.
absl::string_view ImageType(absl::string_view bytes) {
  if (absl::StartsWith(bytes, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (absl::StartsWith(bytes, "\xff\xd8\xff")) return "image/jpeg";
  if (absl::StartsWith(bytes, "RIFF") && bytes.size() > 12 && bytes.substr(8, 4) == "WEBP") {
    return "image/webp";
  }
  if (absl::StartsWith(bytes, "\xabKTX 20\xbb\r\n\x1a\n")) return "image/ktx2";
  return {};
}

// The JSON with its one buffer described as it is now.
Json WithBuffer(const Document& document) {
  Json root = document.json;
  Json buffer = Json::object();
  // What else was said about the first buffer (name, extras, extensions) stays.
  const Json& old = List(root, "buffers");
  if (!old.empty()) buffer = old[0];
  buffer.erase("uri");
  buffer["byteLength"] = document.bin.size();
  if (document.bin.empty()) {
    root.erase("buffers");
  } else {
    root["buffers"] = Json::array({buffer});
  }
  return root;
}

}  // namespace

bool Document::is_vrm() const {
  const Json* extensions = Find(json, "extensions");
  return extensions != nullptr &&
         (Find(*extensions, "VRM") != nullptr || Find(*extensions, "VRMC_vrm") != nullptr);
}

bool Document::faces_backward() const {
  const Json* extensions = Find(json, "extensions");
  return extensions != nullptr && Find(*extensions, "VRM") != nullptr &&
         Find(*extensions, "VRMC_vrm") == nullptr;
}

absl::StatusOr<Document> LoadDocument(std::string bytes, const std::filesystem::path& folder,
                                      const Limits& limits) {
  Document document;
  Glb glb;
  if (IsGlb(bytes)) {
    BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(glb, ParseGlb(bytes));
    bytes.clear();
    bytes.shrink_to_fit();
  } else {
    glb.json = std::move(bytes);
  }
  // Some programs pad the JSON with zero bytes.
  while (!glb.json.empty() && glb.json.back() == '\0') glb.json.pop_back();
  BLENDWIRE_AVATAR_ASSIGN_OR_RETURN(document.json, ParseGltfJson(glb.json));
  document.other_chunks = std::move(glb.other_chunks);
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(CheckVersion(document.json));
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(CheckCompression(document.json));
  BLENDWIRE_AVATAR_RETURN_IF_ERROR(MergeBuffers(document, glb, folder, limits));
  EmbedImages(document, folder, limits);
  return document;
}

void EmbedImages(Document& document, const std::filesystem::path& folder, const Limits& limits) {
  for (size_t i = 0; i < List(document.json, "images").size(); ++i) {
    const std::string uri = GetText(document.json["images"][i], "uri");
    if (uri.empty() || IsDataUri(uri) || folder.empty()) continue;
    const absl::StatusOr<std::filesystem::path> file = ResolveUri(folder, uri);
    absl::StatusOr<std::string> bytes =
        file.ok() ? system::ReadFile(*file, limits.max_file_bytes) : file.status();
    if (bytes.ok() && ImageType(*bytes).empty()) {
      bytes = absl::InvalidArgumentError("it is no PNG, JPEG, WebP or KTX2 image");
    }
    if (bytes.ok() && document.bin.size() + bytes->size() > limits.max_file_bytes) {
      bytes = absl::InvalidArgumentError("the file would get too large");
    }
    if (!bytes.ok()) {
      document.warnings.push_back(absl::StrCat(
          Where("images", i), " stays in a file of its own: ", bytes.status().message()));
      continue;
    }
    const size_t view = AppendView(document, *bytes, ViewTarget::kNone);
    Json& image = document.json["images"][i];
    image.erase("uri");
    image["bufferView"] = view;
    image["mimeType"] = std::string(ImageType(*bytes));
  }
}

absl::StatusOr<std::string> ToGlb(const Document& document) {
  Glb glb;
  glb.json = WithBuffer(document).dump();
  glb.bin = document.bin;
  glb.has_bin = !document.bin.empty();
  glb.other_chunks = document.other_chunks;
  return SerializeGlb(glb);
}

absl::StatusOr<std::string> ToGltf(const Document& document) {
  Json root = WithBuffer(document);
  if (!document.bin.empty()) {
    root["buffers"][0]["uri"] =
        absl::StrCat("data:application/octet-stream;base64,", absl::Base64Escape(document.bin));
  }
  return absl::StrCat(root.dump(1), "\n");
}

size_t AppendView(Document& document, absl::string_view bytes, ViewTarget target) {
  Align(document.bin, 4);
  Json view = {{"buffer", 0}, {"byteOffset", document.bin.size()}, {"byteLength", bytes.size()}};
  if (target != ViewTarget::kNone) view["target"] = static_cast<int>(target);
  document.bin.append(bytes.data(), bytes.size());
  Json& views = MutableList(document.json, "bufferViews");
  views.push_back(std::move(view));
  return views.size() - 1;
}

}  // namespace blendwire::avatar
